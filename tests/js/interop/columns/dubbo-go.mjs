import { throughGateway } from "./gateway.mjs";

const versions = ["v3.2.0-rc2", "v3.3.0", "v3.3.2"];

/** Since v3.3.0 dubbo-go drops the details of a failure: tests/peers/dubbo-go/README.md. */
const peer = (version) => ({
  peer: `dubbo-go-${version}`,
  title: `dubbo-go ${version}`,
  details: version === "v3.2.0-rc2",
});

export default versions.flatMap((version) => throughGateway(peer(version)));
