// What a process has used, by what Linux tells of it.
import { readdir, readFile, writeFile } from "node:fs/promises";

/** Milliseconds of processor that each thread has had so far. */
export async function threads(pid) {
  const ids = await readdir(`/proc/${pid}/task`).catch(() => []);
  const read = async (id) => {
    const text = await readFile(`/proc/${pid}/task/${id}/schedstat`, "utf8").catch(() => "0");
    return [id, Number(text.split(" ")[0]) / 1e6];
  };
  return new Map(await Promise.all(ids.map(read)));
}

/** What all threads have had since; the little of those that have ended meanwhile is lost. */
export async function millisSince(pid, before) {
  let sum = 0;
  for (const [id, ms] of await threads(pid)) sum += ms - (before.get(id) ?? 0);
  return sum;
}

/** Forgets the peak so far, and gives what the process holds, in megabytes. */
export async function resetPeak(pid) {
  await writeFile(`/proc/${pid}/clear_refs`, "5").catch(() => {});
  return (await memory(pid)).now;
}

/** What a process holds, and the most that it held since the peak was reset, in megabytes. */
export async function memory(pid) {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const megabytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0) / 1024;
  return { now: megabytes("VmRSS"), peak: megabytes("VmHWM") };
}
