/** Addresses of covers that are not there, so that nothing asks for them again before the library changes. */

let known = new Set<string>();
let revision = -1;

/** What is known to be missing in this state of the library. */
export function missing(current: number): Set<string> {
  if (current !== revision) {
    known = new Set();
    revision = current;
  }
  return known;
}
