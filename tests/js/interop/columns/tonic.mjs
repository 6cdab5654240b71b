import { throughGateway } from "./gateway.mjs";

export default throughGateway({ peer: "tonic", title: "tonic" });
