/** Who computes: a row per node and worker, with shards, speed and where the time of a step goes. */
import { type CrewMember, phaseNames, type StepBar } from '../../chronicle/chronicle.js';
import { byId, element, fill, scrollable, table } from './dom.js';
import { count, milliseconds } from './format.js';

const STATES = { working: 'working', done: 'done', gone: 'gone', evicted: 'sent away' } as const;

export function showCrew(crew: readonly CrewMember[]): void {
  const isSilent = crew.every(({ phases }) => phases === undefined);
  const rows = crew.map((member) => [
    element(
      'span',
      { class: `dot ${member.state}` },
      member.worker === undefined ? member.node : `worker ${member.worker}`,
    ),
    describeState(member),
    member.shards > 0 ? count(member.shards) : '–',
    member.imagesPerSecond > 0 ? count(member.imagesPerSecond) : '–',
    member.phases ? milliseconds(sum(member.phases)) : '–',
    member.phases ? drawShares(member.phases) : '',
  ]);
  const made = table(['Who', 'State', 'Shards', 'Images/s', 'Step', 'Its time'], rows, 'llrrrl');
  fill(
    byId('crew'),
    crew.length > 0 ? scrollable('Workers and nodes', made) : element('p', { class: 'empty' }, 'Nobody yet'),
    !isSilent && phaseLegend(),
  );
}

const describeState = ({ state, replaced }: CrewMember): string =>
  replaced === 0 ? STATES[state] : `${STATES[state]}, replaced ${replaced === 1 ? 'once' : `${replaced} times`}`;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Shares of a step as one bar. */
function drawShares(phases: readonly number[]): HTMLElement {
  const total = sum(phases) || 1;
  const text = phases.map((value, index) => `${phaseNames[index]} ${Math.round((100 * value) / total)}%`).join(', ');
  const bar = element('span', { class: 'shares', role: 'img', 'aria-label': text, title: text });
  bar.append(...phases.map((value, index) => phasePart(index, value / total)));
  return bar;
}

function phasePart(phase: number, width: number): HTMLElement {
  const made = element('i', { class: `phase-${phaseNames[phase]}` });
  made.style.width = `${100 * width}%`;
  return made;
}

const phaseLegend = (): HTMLElement =>
  element(
    'ul',
    { class: 'legend' },
    ...phaseNames.map((name) => element('li', {}, element('i', { class: `phase-${name}` }), name)),
  );

/** The newest steps side by side: one line per worker, time from left to right. */
export function showSteps(bars: readonly StepBar[]): void {
  const end = Math.max(...bars.map(({ beganMs, phases }) => beganMs + sum(phases)));
  const lanes = [...new Set(bars.map(({ lane }) => lane))];
  if (bars.length === 0 || end <= 0) return;
  const steps = bars.map(({ step }) => step);
  const label = `Steps ${Math.min(...steps)} to ${Math.max(...steps)}, ${milliseconds(end)} in all, for ${lanes.join(', ')}`;
  fill(
    byId('steps'),
    element('p', { class: 'note' }, label),
    element(
      'div',
      { class: 'lanes', role: 'img', 'aria-label': label },
      ...lanes.flatMap((lane) => [
        element('span', { class: 'lane-name' }, lane),
        drawLane(
          bars.filter((bar) => bar.lane === lane),
          end,
        ),
      ]),
    ),
    phaseLegend(),
  );
}

function drawLane(bars: readonly StepBar[], end: number): HTMLElement {
  const lane = element('div', { class: 'lane' });
  for (const { step, beganMs, phases } of bars) {
    const bar = element('div', {
      class: 'step',
      title: `step ${step}: ${phases.map((value, i) => `${phaseNames[i]} ${milliseconds(value)}`).join(', ')}`,
    });
    bar.style.left = `${(100 * beganMs) / end}%`;
    const length = sum(phases);
    bar.style.width = `${(100 * length) / end}%`;
    bar.append(...phases.map((value, index) => phasePart(index, length > 0 ? value / length : 0)));
    lane.append(bar);
  }
  return lane;
}
