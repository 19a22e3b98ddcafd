/**
 * What a browser calls itself to servers, in words for people.
 */

/** In the order of looking: most also name those that they are made like. @type {ReadonlyArray<[RegExp, string]>} */
const BROWSERS = [
  [/\bEdgA?\//, "Edge"], [/\bOPR\//, "Opera"], [/\bFirefox\//, "Firefox"], [/Chrome\//, "Chrome"], [/\bCriOS\//, "Chrome"], [/\bSafari\//, "Safari"],
];
/** @type {ReadonlyArray<[RegExp, string]>} */
const SYSTEMS = [
  [/\bAndroid\b/, "Android"], [/\biPhone\b/, "iPhone"], [/\biPad\b/, "iPad"], [/\bWindows\b/, "Windows"], [/\bMac OS X\b/, "macOS"], [/\bCrOS\b/, "ChromeOS"], [/\bLinux\b/, "Linux"],
];

/** @param {string} agent @returns {string} such as "Firefox on Windows"; what cannot be told stays as it is */
export function programName(agent) {
  const named = (/** @type {ReadonlyArray<[RegExp, string]>} */ names) => names.find(([pattern]) => pattern.test(agent))?.[1];
  const browser = named(BROWSERS);
  const system = named(SYSTEMS);
  if (!browser) return agent;
  return system ? `${browser} on ${system}` : browser;
}
