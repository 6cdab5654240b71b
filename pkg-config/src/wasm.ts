/** The wasm module: instantiated by the first client, synchronously, from the bytes inside the package. */
import * as glue from "./generated/tidewire_bg.js";
import { bytes } from "./generated/wasm_inline.js";

let ready = false;

export function load(): typeof glue {
  if (!ready) {
    const module = new WebAssembly.Module(bytes());
    const instance = new WebAssembly.Instance(module, {
      "./tidewire_bg.js": glue as unknown as WebAssembly.ModuleImports,
    });
    glue.__wbg_set_wasm(instance.exports);
    (instance.exports.__wbindgen_start as () => void)();
    ready = true;
  }
  return glue;
}
