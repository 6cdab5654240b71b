import { fileURLToPath } from "node:url";
import { startWorkerd } from "../workerd.mjs";

const worker = fileURLToPath(new URL("../worker.mjs", import.meta.url));

/** Each scenario is one request to a worker. */
export async function launch({ origin, settings }) {
  const start = () => startWorkerd(worker, { never: ["./interop/table.mjs", "node:*"] });
  let workerd = await start();
  const env = { ...settings, runtime: "workerd", origin, secure: false };
  async function ask(question) {
    const response = await fetch(workerd.url, {
      method: "POST",
      body: JSON.stringify({ settings: env, ...question }),
    });
    if (!response.ok) throw new Error(`the worker answered ${response.status}: ${await response.text()}`);
    return response.json();
  }
  const suite = {
    label: "workerd",
    list: () => ask({}),
    run: (run) => ask({ run }),
    async restart() {
      await workerd.close();
      workerd = await start();
    },
  };
  return { suites: [suite], version: "workerd", close: () => workerd.close() };
}
