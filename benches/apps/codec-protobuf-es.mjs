import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { PayloadSchema, SpecSchema } from "../gen/es/bench_pb.js";

const spec = toBinary(SpecSchema, create(SpecSchema, { size: 100 }));
globalThis.done = [spec, fromBinary(PayloadSchema, new Uint8Array())];
