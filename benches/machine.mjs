import { readFile } from "node:fs/promises";
import { cpus, totalmem, type, release } from "node:os";

/** What the figures were taken on. */
export async function machine() {
  const [{ model }] = cpus();
  const system = await readFile("/etc/os-release", "utf8").catch(() => "");
  const name = /^PRETTY_NAME="(.*)"/m.exec(system)?.[1] ?? `${type()} ${release()}`;
  const load = (await readFile("/proc/loadavg", "utf8").catch(() => "")).split(" ")[0];
  return { processors: cpus().length, model, memory: Math.round(totalmem() / 2 ** 30), system: name, load };
}
