import { equal, within } from "../assert.mjs";
import { allKinds } from "../harness.mjs";

/** Each kind, from open to OK, as the client and as the server tell it. */
export default (suite) => {
  suite.each({ kinds: ["unary"] }, "says hello", saysHello);
  suite.each({ kinds: ["server_stream"] }, "reads ten replies to the end", readsTen);
  suite.each({ kinds: ["client_stream"] }, "sends three and gets one reply", sendsThree);
  suite.each({ kinds: ["bidi"] }, "answers come in between the sends", answersInBetween);
  suite.each({ kinds: ["bidi"] }, "for await reads what comes while another loop sends", loopsSideBySide);
  suite.each(
    { kinds: ["bidi"] },
    "receives that wait are served in the order of their asking",
    receivesInOrder,
  );
  suite.each({ kinds: allKinds }, "an empty message and one of 200 kB arrive whole", sizes);

  const asText = { transports: ["fetch"], protocol: "grpc-web-text", label: "fetch as text" };
  suite.each({ kinds: ["unary"], ...asText }, "says hello", saysHello);
  suite.each({ kinds: ["server_stream"], ...asText }, "reads ten replies to the end", readsTen);
  suite.each(
    { kinds: ["unary", "server_stream"], ...asText },
    "an empty message and one of 200 kB arrive whole",
    sizes,
  );
};

export async function saysHello(t) {
  const { message, status } = await t.unary("Ada");
  equal(message, "Hello, Ada", "the reply");
  equal(status.code, 0, "code");
  t.greeted(status, 1);

  equal((await t.observed.until("open")).detail.method.split("/").pop(), "Greet", "the method");
  equal((await t.observed.until("message")).detail.name, "Ada", "the name");
  equal((await t.observed.until("end")).detail.code, 0, "the server's code");
  t.observed.never("cancelled");
}

export async function readsTen(t) {
  const call = t.serverStream("Ada");
  const replies = [];
  for await (const reply of call) replies.push(reply);
  equal(
    replies,
    Array.from({ length: 10 }, (_, i) => `Hello, Ada ${i + 1}`),
    "the replies",
  );
  equal(await call.receive(), undefined, "receive after the end");
  t.greeted(await t.endsOk(call), 1);
  t.greeted({ trailers: await call.trailers }, 1);

  equal((await t.observed.until("end")).detail.code, 0, "the server's code");
  t.observed.never("cancelled");
}

export async function sendsThree(t) {
  const call = t.clientStream();
  for (const name of ["Ada", "Bo", "Cy"]) await call.send(name);
  equal(await call.closeAndReceive(), "Hello, Ada, Bo, Cy", "the reply");
  equal(await call.response, "Hello, Ada, Bo, Cy", "the response");
  t.greeted(await t.endsOk(call), 3);

  await t.requestsEnded(3);
  equal((await t.observed.until("end")).detail.code, 0, "the server's code");
  t.observed.never("cancelled");
}

export async function answersInBetween(t) {
  const call = t.bidi({ ask: t.endAfter(3) });
  for (const name of ["Ada", "Bo", "Cy"]) {
    await call.send(name);
    equal(await call.receive(), `Hello, ${name}`, "the answer, before the next is sent");
  }
  await t.finish(call);
  equal(await call.receive(), undefined, "receive at the end");
  t.greeted(await t.endsOk(call), 3);

  await t.requestsEnded(3);
  equal((await t.observed.until("end")).detail.code, 0, "the server's code");
  t.observed.never("cancelled");
}

async function loopsSideBySide(t) {
  const names = Array.from({ length: 200 }, (_, i) => `guest ${i}`);
  const call = t.bidi();
  const sending = (async () => {
    for (const name of names) await call.send(name);
    await call.closeSend();
  })();
  const replies = [];
  for await (const reply of call) replies.push(reply);
  await sending;
  equal(
    replies,
    names.map((name) => `Hello, ${name}`),
    "the replies, in order",
  );
  await t.endsOk(call);
  equal((await t.observed.until("half-close")).detail.count, 200, "requests before the half-close");
}

async function receivesInOrder(t) {
  const call = t.bidi();
  const waiting = [call.receive(), call.receive(), call.receive(), call.receive()];
  for (const name of ["Ada", "Bo", "Cy"]) await call.send(name);
  await call.closeSend();
  const replies = await within(10_000, Promise.all(waiting), "the four receives");
  equal(replies, ["Hello, Ada", "Hello, Bo", "Hello, Cy", undefined], "the replies, and the end");
  await t.endsOk(call);
  equal((await t.observed.until("end")).detail.code, 0, "the server's code");
}

async function sizes(t) {
  for (const name of ["", "x".repeat(200_000)]) {
    t.renew();
    const reply = await echoOf(t, name);
    const wanted = `Hello, ${name}${t.kind === "server_stream" ? " 1" : ""}`;
    equal(reply.length, wanted.length, `the length of the answer to ${name.length} characters`);
    equal(reply === wanted, true, "the answer, letter by letter");
    equal(
      (await t.observed.until("message")).detail.name,
      name.slice(0, 64),
      "the name that the server read",
    );
  }
}

async function echoOf(t, name) {
  if (t.kind === "unary") return (await t.unary(name)).message;
  if (t.kind === "server_stream")
    return (await t.receiveAll(t.serverStream(name, { ask: { "x-count": 1 } })))[0];
  const call = t.kind === "bidi" ? t.bidi() : t.clientStream();
  await call.send(name);
  if (t.kind === "client_stream") return call.closeAndReceive();
  await call.closeSend();
  const [reply] = await t.receiveAll(call);
  return reply;
}
