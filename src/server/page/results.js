// Answers: a grid of pictures, or a list of sentences.
import { make, percent, say } from './words.js';

const told = (hit) => (hit.probability != null ? percent(hit.probability) : hit.score.toFixed(2));

// The grid takes each picture's true aspect when it is loaded.
const tile = (hit, open) => {
  const image = make('img', { src: hit.thumbnail, alt: hit.id, loading: 'lazy', decoding: 'async' });
  const button = make('button', { class: 'hit waiting', type: 'button', 'data-key': hit.key, onclick: open, title: hit.id }, image);
  image.addEventListener('load', () => {
    button.classList.remove('waiting');
    button.style.setProperty('--ratio', (image.naturalWidth / image.naturalHeight).toFixed(3));
  });
  image.addEventListener('error', () => {
    button.classList.remove('waiting');
    image.replaceWith(make('span', { class: 'gone' }, `${hit.id}: ${say('gone')}`));
  });
  button.append(make('span', { class: 'told', title: say('likely') }, told(hit)));
  if (hit.copies?.length) button.append(make('span', { class: 'stack' }, `+${hit.copies.length}`, make('span', { hidden: true }, say('stack', hit.copies.length))));
  return button;
};

export const pictures = (place, hits, good, first, open) => {
  const grid = (some, from) => {
    const box = make('div', { class: 'grid' });
    some.forEach((hit, i) => box.append(tile(hit, () => open(first + from + i))));
    return box;
  };
  if (good > 0 || first > 0) place.append(grid(hits.slice(0, good), 0));
  if (good < hits.length) {
    if (!place.querySelector('.line')) place.append(make('p', { class: 'line' }, say('few')));
    place.append(grid(hits.slice(good), good));
  }
};

export const sentences = (place, hits, good) => {
  const line = (hit) => make('li', {}, make('span', { class: 'p', title: say('likely') }, told(hit)), make('span', { class: 's' }, hit.text));
  const list = (some) => make('ul', { class: 'sentences' }, ...some.map(line));
  place.append(list(hits.slice(0, good)));
  if (good < hits.length) {
    if (!place.querySelector('.line')) place.append(make('p', { class: 'line' }, say('few')));
    place.append(list(hits.slice(good)));
  }
};

export const waiting = (place) => {
  const box = make('div', { class: 'grid', 'aria-hidden': 'true' });
  for (let i = 0; i < 12; i += 1) box.append(make('div', { class: 'hit waiting' }));
  place.replaceChildren(box);
};

export const message = (place, heading, text, ...more) => {
  place.replaceChildren(make('section', { class: 'empty' }, make('h2', {}, heading), make('p', {}, text), ...more));
};
