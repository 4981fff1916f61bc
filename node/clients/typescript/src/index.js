// Talks to a Weft node on this machine. No dependencies; browsers and Node.js 20 or newer.
export { Client, WeftError } from "./client.js";
export { TextSession, openText } from "./text.js";
