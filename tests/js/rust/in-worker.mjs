import { inFull } from "../assert.mjs";

/** Runs a case in a module worker of its own. */
export async function runInWorker(name, t, given) {
  const { baseUrl, id, server, env } = t;
  const worker = new Worker(new URL("./worker.mjs", import.meta.url), { type: "module" });
  try {
    await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve());
      worker.onerror = (event) => reject(new Error(`the worker: ${inFull(event.error ?? event.message)}`));
      const { origin, rust } = env;
      worker.postMessage({ name, scene: { baseUrl, id, server }, given, env: { origin, rust } });
    });
  } finally {
    worker.terminate();
  }
}
