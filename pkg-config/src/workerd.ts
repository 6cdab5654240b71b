/** Cloudflare's runtime compiles nothing while it runs: its bundler hands it the module compiled. */
import { TidewireClient } from "./client.js";
import compiled from "./generated/tidewire_bg.wasm";
import type { Client, ClientOptions } from "./types.js";
import { load } from "./wasm.js";

export * from "./api.js";

/** As in the other entries. */
export async function createClient(options: ClientOptions): Promise<Client> {
  return new TidewireClient(load, () => compiled, options);
}
