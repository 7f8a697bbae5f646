// tus-js-client sends no checksums of its own: its requests are made here, so that each PATCH carries one.
import { sha256 } from "./fingerprint.js";

export class CheckedStack {
  inner = new window.tus.DefaultHttpStack();

  createRequest(method, address) {
    const request = this.inner.createRequest(method, address);
    if (method !== "PATCH") return request;
    const send = request.send.bind(request);
    const abort = request.abort.bind(request);
    let given = false;
    request.abort = () => { given = true; return abort(); };
    request.send = async (piece) => {
      let digest;
      try {
        digest = await sha256(await new Response(piece).arrayBuffer());
      } catch (error) {
        throw Object.assign(new Error("the film can't be read"), { isUnreadable: true, cause: error });
      }
      if (given) return new Promise(() => {});
      request.setHeader("Upload-Checksum", `sha256 ${btoa(String.fromCharCode(...digest))}`);
      return send(piece);
    };
    return request;
  }

  getName() {
    return "CheckedStack";
  }
}
