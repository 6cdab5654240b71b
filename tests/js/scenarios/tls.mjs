import { cancelAfterHalfClose, cancelWhilePending } from "./cancel.mjs";
import { answersInBetween, readsTen, saysHello, sendsThree } from "./happy.mjs";

/** Behind TLS browsers speak HTTP/2, which changes what fetch can carry, how it aborts and how sockets are opened. */
export default (suite) => {
  suite.each({ kinds: ["unary"] }, "says hello, under TLS", saysHello);
  suite.each({ kinds: ["server_stream"] }, "reads ten replies to the end, under TLS", readsTen);
  suite.each({ kinds: ["client_stream"] }, "sends three and gets one reply, under TLS", sendsThree);
  suite.each({ kinds: ["bidi"] }, "answers come in between the sends, under TLS", answersInBetween);
  suite.each(
    { kinds: ["server_stream", "client_stream", "bidi"] },
    "a pending reply settles within one task of cancel, and the server sees it, under TLS",
    cancelWhilePending,
  );
  suite.each(
    { kinds: ["client_stream", "bidi"] },
    "cancel after half-close reaches the server after its half-close, under TLS",
    cancelAfterHalfClose,
  );
};
