// @ts-check
/**
 * One side's events in order of time. A long run of one kind (a flood of messages) becomes one mark with a count,
 * and a lane that grows all the same loses its oldest marks after the first, so that it stays small.
 *
 * @typedef {{
 *   id: number, what: string, at: number, count?: number, detail?: any,
 *   until?: number, last?: number,
 * }} LaneEvent `until` and `last`: time and count of the last of a run
 */

const RUN = 6;
const RUN_PAUSE_MS = 30;
const MOST = 300;

export class Lane {
  /** @type {LaneEvent[]} */
  events = [];
  /** How many marks were dropped. */
  dropped = 0;
  #next = 1;

  /** @param {Omit<LaneEvent, "id">} event */
  add(event) {
    this.events.push({ ...event, id: this.#next++ });
    this.#fold();
    if (this.events.length > MOST) {
      this.events.splice(1, 1);
      this.dropped++;
    }
  }

  /** @param {string} what */
  find(what) {
    return this.events.find((event) => event.what === what);
  }

  /** Folds the newest events into one when they continue a run, or have just become one. */
  #fold() {
    const { events } = this;
    const newest = /** @type {LaneEvent} */ (events.at(-1));
    const before = events.at(-2);
    if (before?.until !== undefined && follows(before, newest)) {
      before.until = newest.at;
      before.last = newest.count;
      events.pop();
      return;
    }
    const run = events.slice(-RUN);
    const first = /** @type {LaneEvent} */ (run[0]);
    if (
      run.length < RUN ||
      !run.every((event, i) => i === 0 || follows(/** @type {any} */ (run[i - 1]), event))
    )
      return;
    events.splice(-RUN, RUN, { ...first, until: newest.at, last: newest.count });
  }
}

/**
 * @param {LaneEvent} a
 * @param {LaneEvent} b
 */
function follows(a, b) {
  return a.what === b.what && b.count !== undefined && b.at - (a.until ?? a.at) < RUN_PAUSE_MS;
}
