/** Vercel's edge runtime: as in workerd, with the bundler's own spelling of "compiled". */
import { TidewireClient } from "./client.js";
import compiled from "./generated/tidewire_bg.wasm?module";
import type { Client, ClientOptions } from "./types.js";
import { load } from "./wasm.js";

export * from "./api.js";

/** As in the other entries. */
export async function createClient(options: ClientOptions): Promise<Client> {
  return new TidewireClient(load, () => compiled, options);
}
