// By what the same film is known again, on any device and under any name: its size, its beginning and its end.
const EDGE = 1024 * 1024;

export async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

export async function fingerprintOf(film) {
  const edges = new Blob([`${film.size}\n`, film.slice(0, EDGE), film.slice(Math.max(EDGE, film.size - EDGE))]);
  const digest = await sha256(await edges.arrayBuffer());
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
