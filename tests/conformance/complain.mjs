/** What no call may leave behind. It fails the run, and does not keep the other cases from being run. */
export function complain(error) {
  console.error("unhandled:", error);
  process.exitCode = 1;
}
