/** Full-duplex gRPC, Dubbo Triple and Connect streams from web pages, workers and edge functions. */
import { fromBase64 } from "./base64.js";
import { TidewireClient } from "./client.js";
import { base64 } from "./generated/wasm_inline.js";
import type { Client, ClientOptions } from "./types.js";
import { load } from "./wasm.js";

export * from "./api.js";

/** A client for the services below one base URL. Nothing is sent until the first call. */
export async function createClient(options: ClientOptions): Promise<Client> {
  return new TidewireClient(load, () => new WebAssembly.Module(fromBase64(base64)), options);
}
