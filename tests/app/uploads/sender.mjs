// Sends a film by tus-js-client as a program in Node does, each piece with its SHA-256. Wants one JSON argument, and the
// folder of its modules in TUS_MODULES; prints where the upload is and how far it came.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const tus = createRequire(join(process.env.TUS_MODULES, "here.js"))("tus-js-client");
const wanted = JSON.parse(process.argv[2]);
let pieces = 0;
let spoiled = 0;

class CheckedStack {
  inner = new tus.DefaultHttpStack();

  createRequest(method, address) {
    const request = this.inner.createRequest(method, address);
    const send = request.send.bind(request);
    request.send = async (body) => {
      if (!body) return send(body);
      const read = [];
      for await (const each of body) read.push(each);
      const piece = Buffer.concat(read);
      request.setHeader("Upload-Checksum", `sha256 ${createHash("sha256").update(piece).digest("base64")}`);
      pieces += 1;
      if (pieces === wanted.spoil) {
        piece[piece.length - 1] ^= 1;
        spoiled += 1;
      }
      piece.size = piece.length;
      return send(piece);
    };
    return request;
  }

  getName() {
    return "CheckedStack";
  }
}

let counted = 0;
let reached = 0;
const upload = new tus.Upload(createReadStream(wanted.film), {
  endpoint: wanted.endpoint,
  uploadUrl: wanted.address,
  headers: wanted.headers,
  overridePatchMethod: wanted.override,
  chunkSize: wanted.pieceBytes,
  retryDelays: [0, 100],
  metadata: { filename: "kitchen.mp4", filetype: "video/mp4" },
  httpStack: new CheckedStack(),
  onShouldRetry: (error) => error.originalResponse?.getStatus() === 460,
  onChunkComplete(_, offset) {
    reached = offset;
    counted += 1;
    if (counted === wanted.stopAfterPieces) {
      upload.abort();
      tell();
    }
  },
  onSuccess: tell,
  onError(error) {
    process.stderr.write(`${error}\n`);
    process.exit(1);
  },
});
upload.start();

function tell() {
  process.stdout.write(JSON.stringify({ address: upload.url, reached, spoiled }));
}
