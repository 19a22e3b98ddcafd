/**
 * Hands a file to the browser's downloads.
 */

/** How long the browser may take to begin. */
const RELEASE_AFTER_MS = 30_000;

/** @param {string} name @param {Blob} content */
export function saveBlob(name, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), RELEASE_AFTER_MS);
}

/** @param {string} name @param {string} text */
export function saveText(name, text) {
  saveBlob(name, new Blob([text], { type: "text/plain;charset=utf-8" }));
}
