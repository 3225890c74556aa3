/** `npm start`: looks at Node's version first, with nothing that an old Node would stumble over. */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 9)) {
  process.stderr.write(`stillframe: Node ${process.versions.node} is too old.\n  Install Node 20.9 or newer.\n`);
  process.exit(1);
}
await import("./install-and-start.mjs");
