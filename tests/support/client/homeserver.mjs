// One plain client-server call.
export async function http(hs, method, path, body, token) {
    const r = await fetch(hs + path, { method, headers: { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) }, body: body === undefined ? undefined : JSON.stringify(body) });
    const j = await r.json().catch(() => ({}));
    if (!r.ok) { const e = new Error(`${method} ${path}: ${r.status} ${j.errcode ?? ""} ${j.error ?? ""}`.trim()); e.httpStatus = r.status; e.errcode = j.errcode; e.data = j; throw e; }
    return j;
}
