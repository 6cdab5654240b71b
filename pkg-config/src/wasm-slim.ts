/** The core with gRPC-Web over fetch and native gRPC over `tidewire.v1`, and nothing else. */
import { loader } from "./core.js";
import { imports, start } from "./generated/slim/imports.js";
import { __wbg_set_wasm, RawClient } from "./generated/slim/tidewire_bg.js";

export const load = loader(RawClient, imports, __wbg_set_wasm, start);
