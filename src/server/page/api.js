// The server. Every answer is JSON; what went wrong is an Error with the server's words.
export class Trouble extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

const KEY = 'tuwen-key';

export const useKey = (key) => {
  document.cookie = `${KEY}=${encodeURIComponent(key)}; path=/; SameSite=Strict`;
  sessionStorage.setItem(KEY, key);
};

const headers = () => {
  const key = sessionStorage.getItem(KEY);
  return key ? { Authorization: `Bearer ${key}` } : {};
};

let running = null;

const ask = async (path, options = {}, signal = undefined) => {
  let response;
  try {
    response = await fetch(path, { ...options, signal, headers: { ...headers(), ...options.headers } });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Trouble('', 'offline');
  }
  let body = {};
  try {
    body = await response.json();
  } catch {
    // an error without words
  }
  if (!response.ok) throw new Trouble(body.detail || response.statusText, body.code);
  return body;
};

const items = (gallery) => `/v1/galleries/${encodeURIComponent(gallery)}/items`;
export const thumbnail = (gallery, key) => `${items(gallery)}/${key}/thumbnail?size=1024`;
export const galleries = () => ask('/v1/galleries');
export const item = (gallery, key) => ask(`${items(gallery)}/${key}`);

const upload = (pictures) => {
  const body = new FormData();
  pictures.forEach((picture) => body.append('picture', picture));
  return { method: 'POST', body };
};

const form = (query, pictures) => {
  if (!pictures.length) {
    return { method: 'POST', body: JSON.stringify(query), headers: { 'Content-Type': 'application/json' } };
  }
  const asked = upload(pictures);
  asked.body.append('query', JSON.stringify(query));
  return asked;
};

// A new search ends the one before.
export const search = (query, pictures) => {
  running?.abort();
  running = new AbortController();
  return ask('/v1/search', form(query, pictures), running.signal);
};

export const remove = (gallery, key) => ask(`${items(gallery)}/${key}`, { method: 'DELETE' });

export const add = (gallery, pictures) => ask(items(gallery), upload(pictures));

// What became of a task, once it is over.
export const outcome = async ({ id }) => {
  for (;;) {
    const task = await ask(`/v1/tasks/${id}`);
    if (task.status === 'failed') throw new Trouble(task.detail, 'failed');
    if (task.status === 'done') return task;
    await new Promise((later) => setTimeout(later, 200));
  }
};

export const keywords = (query, pictures) => ask('/v1/keywords', form(query, pictures));
