/** The wasm module: instantiated by the first client, synchronously, from what the entry has. */
import { imports, start } from "./generated/imports.js";
import { __wbg_set_wasm, RawClient } from "./generated/tidewire_bg.js";

let ready = false;

/** The core's client class, with the module behind it. */
export function load(compiled: () => WebAssembly.Module): typeof RawClient {
  if (!ready) {
    const { exports } = new WebAssembly.Instance(compiled(), imports);
    __wbg_set_wasm(exports);
    start(exports);
    ready = true;
  }
  return RawClient;
}
