/** `greet.GreetService` of tests/README.md for dubbo-node's router. */
import { MethodKind, proto3 } from "@bufbuild/protobuf";
import { Call } from "./call.mjs";

const MAX_JOINED = 1 << 20;

const message = (name, field) =>
  proto3.makeMessageType(`greet.${name}`, () => [{ no: 1, name: field, kind: "scalar", T: 9 }]);
const types = { I: message("GreetRequest", "name"), O: message("GreetResponse", "greeting") };

/** What protoc-gen-es and protoc-gen-apache-dubbo-es would write for greet.proto. */
export const GreetService = {
  typeName: "greet.GreetService",
  methods: {
    greet: { name: "Greet", ...types, kind: MethodKind.Unary },
    greetStream: { name: "GreetStream", ...types, kind: MethodKind.BiDiStreaming },
    greetClientStream: { name: "GreetClientStream", ...types, kind: MethodKind.ClientStreaming },
    greetServerStream: { name: "GreetServerStream", ...types, kind: MethodKind.ServerStreaming },
  },
};

/** `httpOf(context)` is what is known of the HTTP exchange below a call. */
export function greeter(observed, httpOf) {
  const open = (method, context) => new Call(observed, method, context, httpOf(context));
  return {
    greet({ name }, context) {
      const call = open("Greet", context);
      return call.answers(context, greet(call, name));
    },
    greetStream(requests, context) {
      const call = open("GreetStream", context);
      return call.streams(context, greetEach(call, requests));
    },
    greetClientStream(requests, context) {
      const call = open("GreetClientStream", context);
      return call.answers(context, greetAll(call, requests));
    },
    greetServerStream({ name }, context) {
      const call = open("GreetServerStream", context);
      return call.streams(context, greetOften(call, name));
    },
  };
}

async function greet(call, name) {
  call.isEnd();
  call.message(name);
  let timer;
  const delay = new Promise((resolve) => (timer = setTimeout(resolve, call.asked.delay)));
  await call.race(delay).finally(() => clearTimeout(timer));
  call.isEnd();
  await call.stay(call.asked.neverEnd || call.asked.stall);
  return call.reply(`Hello, ${name}`);
}

async function* greetEach(call, requests) {
  const { asked } = call;
  if (asked.greetFirst) yield call.reply("Welcome");
  await call.stay(asked.stall);
  if (call.isEnd()) return;
  for await (const name of call.read(requests)) {
    yield call.reply(`Hello, ${name}`);
    if (call.isEnd()) return;
  }
  for (let n = 1; n <= asked.afterClose; n++) yield call.reply(`Goodbye ${n}`);
  await call.stay(asked.neverEnd);
}

async function greetAll(call, requests) {
  const { asked } = call;
  let names = "";
  await call.stay(asked.stall);
  if (!call.isEnd()) {
    for await (const name of call.read(requests)) {
      if (names.length < MAX_JOINED) names += names ? `, ${name}` : name;
      if (call.isEnd()) break;
    }
  }
  await call.stay(asked.neverEnd);
  return call.reply(`Hello, ${names.slice(0, MAX_JOINED)}`);
}

async function* greetOften(call, name) {
  const { asked } = call;
  call.isEnd();
  call.message(name);
  await call.stay(asked.stall);
  for (let n = 1; n <= asked.count; n++) yield call.reply(`Hello, ${name} ${n}`.padEnd(asked.size, "."));
  call.isEnd();
  await call.stay(asked.neverEnd);
}
