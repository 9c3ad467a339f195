// Two pictures side by side, with the keypoints that agree joined.
import { make } from './words.js';

const SVG = 'http://www.w3.org/2000/svg';
const MOST = 60;

// Places are [[left, top] in the first picture, [left, top] in the second], as shares of width and height.
export const pair = (first, second, places) => {
  const lines = document.createElementNS(SVG, 'svg');
  lines.setAttribute('class', 'joined');
  const box = make('div', { class: 'pair' }, first, second, lines);
  const step = Math.ceil(places.length / MOST);
  const some = places.filter((_, i) => i % step === 0);
  const draw = () => {
    const from = box.getBoundingClientRect();
    const at = (image, [left, top]) => {
      const to = image.getBoundingClientRect();
      return [to.left - from.left + left * to.width, to.top - from.top + top * to.height];
    };
    lines.replaceChildren(...some.map(([a, b]) => {
      const line = document.createElementNS(SVG, 'line');
      const [x1, y1] = at(first, a);
      const [x2, y2] = at(second, b);
      Object.entries({ x1, y1, x2, y2 }).forEach(([name, value]) => line.setAttribute(name, value));
      return line;
    }));
  };
  [first, second].forEach((image) => image.addEventListener('load', draw));
  new ResizeObserver(draw).observe(box);
  return box;
};
