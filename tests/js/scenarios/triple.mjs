import { equal } from "../assert.mjs";
import { UNIMPLEMENTED, UNKNOWN } from "../codes.mjs";
import { greetJson } from "../greet.mjs";
import { saysHello } from "./happy.mjs";

/** Triple's bare form through the gateway, which relays it as it is. */
export default (suite) => {
  const place = {
    kinds: ["unary"],
    transports: ["tidewire.v1"],
    servers: ["dubbo-go"],
    protocol: "triple",
    label: "tidewire.v1 as triple",
  };
  suite.each(place, "says hello", saysHello);
  suite.each(place, "says hello in JSON", saysHelloInJson);
  suite.each(place, "metadata and attachments travel both ways, bytes as well", metadataTravel);
  suite.each(place, "the deadline is told in the headers of Triple", deadlineIsTold);
  suite.each(place, "a plain Go error keeps its number", plainError);
  suite.each(place, "an unknown group or version is named", unknownRoute);

  const byGrpc = { kinds: ["unary", "bidi"], servers: ["dubbo-go"] };
  suite.each(byGrpc, "a plain Go error keeps its number", plainError);
};

async function saysHelloInJson(t) {
  const { message, headers } = await t.unary("Ada", { codec: greetJson });
  equal(message, "Hello, Ada", "the reply");
  equal(headers.get("content-type"), "application/json", "the answer's type");
  const { metadata } = (await t.observed.until("open")).detail;
  equal(metadata["content-type"], ["application/json"], "the request's type");
}

async function metadataTravel(t) {
  const bytes = Uint8Array.of(0, 1, 254, 255);
  const metadata = [
    ["echo-word", "one"],
    ["echo-word", "two"],
    ["echo-bytes-bin", bytes],
  ];
  const { headers, trailers } = await t.unary("Ada", { metadata });
  for (const [where, echoed] of Object.entries({ headers, trailers })) {
    equal(echoed.getAll("echo-word"), ["one", "two"], `words in the ${where}`);
    equal(echoed.get("echo-bytes-bin"), bytes, `bytes in the ${where}`);
  }
  equal(headers.get("trailer-echo-word"), undefined, "trailers in the headers");
}

async function deadlineIsTold(t) {
  await t.unary("Ada", { timeoutMs: 60_000 });
  const { metadata } = (await t.observed.until("open")).detail;
  equal(metadata["tri-service-timeout"], ["60000"], "for dubbo-java");
  equal(metadata["triple-timeout-ms"], ["60000"], "for dubbo-go");
}

async function plainError(t) {
  const { call, reply } = t.begin({ ask: { "x-fail-after": 0, "x-fail-code": 17 } });
  // A fetch of Node's opens with the first byte only.
  if (t.sends) call.send("Ada").catch(() => {});
  const error = await t.endedWith(
    { call, reply },
    {
      code: UNKNOWN,
      fault: "peer",
      message: /^asked to fail: 100% "grüßt"$/,
    },
  );
  equal(error.rawCode, 17, "the number on the wire");
}

async function unknownRoute(t) {
  for (const triple of [{ group: "nobody" }, { version: "9.9.9" }]) {
    t.client = await t.newClient({ triple });
    const message = new RegExp(Object.values(triple)[0]);
    await t.endedWith(t.begin(), { code: UNIMPLEMENTED, fault: "peer", message });
  }
  equal(await t.observed.now(), [], "what the service saw");
}
