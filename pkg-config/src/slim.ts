/**
 * The package with gRPC-Web over fetch and native gRPC over `tidewire.v1` only, and so with less to download. Everything is
 * as in `tidewire`; what is left out ends its call with UNIMPLEMENTED and says so.
 */
import { fromBase64 } from "./base64.js";
import { TidewireClient } from "./client.js";
import { base64 } from "./generated/slim/wasm_inline.js";
import type { Client, ClientOptions } from "./types.js";
import { load } from "./wasm-slim.js";

export * from "./api.js";

/** As in the other entries. */
export async function createClient(options: ClientOptions): Promise<Client> {
  return new TidewireClient(load, () => new WebAssembly.Module(fromBase64(base64)), options);
}
