/** The core with all that there is. */
import { loader } from "./core.js";
import { imports, start } from "./generated/imports.js";
import { __wbg_set_wasm, RawClient } from "./generated/tidewire_bg.js";

export const load = loader(RawClient, imports, __wbg_set_wasm, start);
