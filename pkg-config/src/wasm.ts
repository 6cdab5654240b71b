/** The wasm module: instantiated by the first client, synchronously, from the bytes inside the package. */
import { imports, start } from "./generated/imports.js";
import { __wbg_set_wasm, RawClient } from "./generated/tidewire_bg.js";
import { bytes } from "./generated/wasm_inline.js";

let ready = false;

/** The core's client class, with the module behind it. */
export function load(): typeof RawClient {
  if (!ready) {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes()), imports);
    __wbg_set_wasm(exports);
    start(exports);
    ready = true;
  }
  return RawClient;
}
