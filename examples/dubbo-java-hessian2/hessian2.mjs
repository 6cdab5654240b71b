/** Hessian2, as Dubbo's own consumers speak it, by the package `hessian.js`. */
import hessian from "hessian.js";

const read = (bytes, withTypes) => new hessian.DecoderV2(Buffer.from(bytes)).read(withTypes);

export const hessian2 = {
  serializeType: "hessian4",
  serialize: (argument) => hessian.encode(argument, "2.0"),
  deserialize: (bytes) => read(bytes, false),
  deserializeException(bytes) {
    const { $class: className } = read(bytes, true);
    // Of a class whose name ends in Exception the package makes an Error; its message is right without types only.
    const { detailMessage, message = detailMessage } = read(bytes, false);
    return { className, message };
  },
};
