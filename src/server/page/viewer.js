// One picture, large: why it was found, what is known of it, and where to go from it.
import { item } from './api.js';
import { pair } from './pair.js';
import { make, percent, say } from './words.js';

const SVG = 'http://www.w3.org/2000/svg';

// Words that were read, framed where they stand; boxes are in pixels of the file.
const frames = (image, why, facts) => {
  const boxes = (why?.words || []).flatMap((word) => word.boxes);
  if (!boxes.length || !facts.width) return null;
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${facts.width} ${facts.height}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  boxes.forEach((quad) => {
    const shape = document.createElementNS(SVG, 'polygon');
    shape.setAttribute('points', quad.map((p) => p.join(',')).join(' '));
    svg.append(shape);
  });
  return svg;
};

const row = (name, ...values) => make('tr', {}, make('th', { scope: 'row' }, name), make('td', {}, ...values));
const number = (share) => make('td', { class: 'n' }, (share > -0.0005 ? '+' : '−') + Math.abs(share).toFixed(3));
const shares = (list) => make('table', {}, make('tbody', {}, ...list.map((s) => make('tr', {}, make('th', { scope: 'row' }, s.name), number(s.share)))));

// What a transformation does, in words.
const moved = ([[a, b], [c, d]]) => {
  const scale = Math.round(100 * Math.sqrt(Math.abs(a * d - b * c)));
  const turn = Math.round((Math.atan2(c, a) * 180) / Math.PI);
  return [Math.abs(scale - 100) > 2 && say('scaled', scale), Math.abs(turn) > 1 && say('turned', turn)].filter(Boolean).join(', ') || say('unmoved');
};

const reasons = (hit) => {
  const why = hit.why;
  if (!why) return [];
  const parts = [];
  if (why.copy) {
    const { same_bytes: same, inliers, mirrored, transform } = why.copy;
    parts.push(make('p', {}, same ? say('samebytes') : `${say('inliers', inliers, mirrored)}; ${say('chance', Math.round(hit.score))}`));
    if (transform && !same) parts.push(make('p', {}, moved(transform)));
  }
  if (why.words?.length) {
    const where = (w) => [w.in_caption && say('incaption'), w.boxes.length && say('inlines', w.boxes.length)].filter(Boolean).join(', ');
    parts.push(make('h3', {}, say('matched')), make('p', {}, why.words.map((w) => `${w.word} (${where(w)})`).join('; ')));
  }
  if (why.query_words?.length) parts.push(make('h3', {}, say('pulled')), shares(why.query_words));
  if (why.parts?.length) parts.push(make('h3', {}, say('parts')), shares(why.parts));
  return parts;
};

const known = (facts) => {
  const rows = [
    row(say('size'), `${facts.width} × ${facts.height}, ${facts.format}`),
    facts.taken && row(say('taken'), facts.taken), facts.camera && row(say('camera'), facts.camera),
    facts.folder && row(say('folder'), facts.folder), facts.tags.length && row(say('tags'), facts.tags.join(', ')),
    facts.captions.length && row(say('captions'), ...facts.captions.map((c) => make('div', {}, c))),
  ];
  return make('table', {}, make('tbody', {}, ...rows.filter(Boolean)));
};

let shownAt = -1;
let detailed = localStorage.getItem('info') !== 'no';
export const place = () => shownAt;

// `asked` is where the picture of the question is seen, if there is one; `writable` whether pictures may be removed.
export const open = async (dialog, hits, at, { gallery, asked, writable }, go) => {
  shownAt = at;
  const hit = hits[at];
  const image = make('img', { src: `${hit.thumbnail}?size=1024`, alt: hit.id });
  const places = hit.why?.copy?.places;
  const isPair = asked && places?.length;
  const shown = isPair
    ? pair(make('img', { src: asked, alt: say('asked') }), image, places)
    : make('div', { class: 'shown' }, image);
  const info = make('div', { class: 'info', hidden: !detailed }, ...reasons(hit));
  const button = (name, key, action) => make('button', { type: 'button', 'aria-keyshortcuts': key, onclick: action }, say(name));
  dialog.setAttribute('aria-label', hit.id);
  dialog.replaceChildren(
    make('div', { class: 'stage' }, shown),
    make('div', { class: 'bar' },
      make('span', { class: 'name' }, hit.id, hit.probability != null ? ` · ${percent(hit.probability)}` : ''),
      make('button', { type: 'button', 'aria-label': '←', disabled: at === 0, onclick: () => go('step', -1) }, '←'),
      make('button', { type: 'button', 'aria-label': '→', disabled: at + 1 >= hits.length, onclick: () => go('step', 1) }, '→'),
      button('similar', 's', () => go('similar', hit)), button('copies', 'c', () => go('copies', hit)),
      button('texts', 't', () => go('texts', hit)),
      make('button', { type: 'button', 'aria-keyshortcuts': 'i', onclick: () => toggle(dialog) }, say('why')),
      make('a', { href: hit.file, target: '_blank', rel: 'noopener' }, say('file')),
      writable && make('button', { type: 'button', class: 'remove', onclick: () => go('remove', hit) }, say('takeout')),
      button('close', 'Escape', () => dialog.close())),
    info);
  if (!dialog.open) dialog.showModal();
  try {
    const facts = await item(gallery, hit.key);
    if (shownAt !== at) return;
    const marks = !isPair && frames(image, hit.why, facts);
    if (marks) shown.append(marks);
    info.append(known(facts));
  } catch {
    // the picture is shown all the same
  }
};

export const toggle = (dialog) => {
  detailed = !detailed;
  localStorage.setItem('info', detailed ? 'yes' : 'no');
  const info = dialog.querySelector('.info');
  if (info) info.hidden = !detailed;
};
