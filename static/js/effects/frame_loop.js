/**
 * One requestAnimationFrame loop for the page. It runs while any task has work and sleeps otherwise.
 */

/** A pause longer than this (a hidden tab) counts as one ordinary frame. */
const STEP_MS_MAX = 50;

/** @typedef {(nowMs: number, stepMs: number) => boolean} FrameTask returns whether it needs the next frame */

export class FrameLoop {
  /** @type {Set<FrameTask>} */
  #tasks = new Set();
  /** @type {Set<FrameTask>} tasks that asked for the next frame */
  #awake = new Set();
  #scheduled = false;
  #lastMs = 0;

  /**
   * @param {FrameTask} task
   * @returns {() => void} asks for the task's next frame; cheap to call often
   */
  add(task) {
    this.#tasks.add(task);
    return () => {
      this.#awake.add(task);
      this.#schedule();
    };
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame((nowMs) => this.#run(nowMs));
  }

  /** @param {number} nowMs */
  #run(nowMs) {
    this.#scheduled = false;
    const stepMs = Math.min(STEP_MS_MAX, Math.max(0, nowMs - this.#lastMs));
    this.#lastMs = nowMs;
    for (const task of this.#tasks) {
      if (this.#awake.delete(task) && task(nowMs, stepMs)) this.#awake.add(task);
    }
    if (this.#awake.size > 0) this.#schedule();
  }
}
