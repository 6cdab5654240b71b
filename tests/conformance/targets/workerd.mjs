import { fileURLToPath } from "node:url";
import { startWorkerd } from "../../js/workerd.mjs";

/** One request to the worker is one case. */
export async function launch({ descriptors, gateway }) {
  if (gateway) throw new Error("in workerd a socket belongs to the request that made it: run a set of fetch");
  const worker = fileURLToPath(new URL("../worker.mjs", import.meta.url));
  const { url, close } = await startWorkerd(worker, { data: { messages: descriptors } });
  return {
    async run(request) {
      const response = await fetch(url, { method: "POST", body: request });
      if (!response.ok) throw new Error(`the worker answered ${response.status}: ${await response.text()}`);
      return new Uint8Array(await response.arrayBuffer());
    },
    close,
  };
}
