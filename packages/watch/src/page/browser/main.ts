/** The page: takes what the connection brings and shows what has changed. */
import { countOf } from '@lockstep/core/text';
import { type Chronicle, emptyChronicle, type Section } from '../../chronicle/chronicle.js';
import { Comparison } from './comparison.js';
import { Connection, type Needs, takeKey } from './connection.js';
import { showCrew, showSteps } from './crew.js';
import { Curves } from './curves.js';
import { byId, setText } from './dom.js';
import { showData, showEpochs, showLog, showModel, showRecipe } from './facts.js';
import { Peers } from './peers.js';
import { showPictures } from './pictures.js';
import { type Run, takeNews } from './runs.js';
import { Buttons, showPhase, showStatus } from './status.js';
import { followTheme } from './theme.js';

const runs: Run[] = [];
let expected = 1;
let mayAsk = false;
let isConnected = false;
/** Sections that have changed since they were drawn. */
const unseen = new Set<Section>();
let isScheduled = false;
/** Between two drawings. */
const DRAW_MS = 200;

const curves = new Curves();
const comparison = new Comparison();
const connection = new Connection({
  onWelcome: (welcome) => {
    expected = welcome.runs;
    mayAsk = welcome.canAsk;
    isConnected = true;
    peers.forget();
    byId('entrance').hidden = true;
    byId(expected > 1 ? 'comparison' : 'run').hidden = false;
    byId('status').hidden = expected > 1;
    byId('sections').hidden = expected > 1;
    if (runs[0]) showTop(runs[0].chronicle);
  },
  onRun: (message) => {
    const run = takeNews(runs[message.run], message);
    runs[message.run] = run;
    for (const section of run.changed) unseen.add(section);
    schedule();
  },
  onPeers: (roster) => peers.show(roster),
  onPardoned: (pardoned) => peers.tell(pardoned),
  onLost: () => {
    isConnected = false;
    // what came last is not to stand at the top alone
    draw();
    if (expected === 1) showTop(runs[0]?.chronicle ?? {});
  },
  askSecret: (needs, wasWrong, use) => askSecret(needs, wasWrong, use),
});
const buttons = new Buttons((ask) => connection.ask(ask));
const peers = new Peers((who) => connection.pardon(who));

/** Draws what has changed, not more often than a slow device can follow; in a tab that nobody sees, not at all. */
function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  setTimeout(() => requestAnimationFrame(draw), DRAW_MS);
}

function draw(): void {
  isScheduled = false;
  const changed = new Set(unseen);
  unseen.clear();
  if (expected > 1) showComparison();
  else if (runs[0]) show(runs[0], changed);
}

function show({ chronicle }: Run, changed: ReadonlySet<Section>): void {
  const { about } = chronicle;
  if (about && changed.has('about')) {
    document.title = `${about.model} · Lockstep`;
    setText(byId('title'), about.model);
    setText(byId('subtitle'), `seed ${about.seed} · ${about.data}`);
    showRecipe(about);
    showModel(about);
    showData(about);
  }
  showTop(chronicle);
  if (changed.has('curve') || changed.has('epochs')) curves.show(chronicle);
  if (changed.has('epochs') && chronicle.epochs) showEpochs(chronicle.epochs);
  if (changed.has('crew') && chronicle.crew) showCrew(chronicle.crew);
  if (changed.has('steps') && chronicle.steps) showSteps(chronicle.steps);
  if (changed.has('log') || changed.has('about')) showLog(chronicle.log ?? []);
  showPictures(chronicle, changed);
}

function showTop(chronicle: Partial<Chronicle>): void {
  const status = chronicle.status ?? emptyChronicle.status;
  // the process of a run that is over is gone
  const isOver = status.phase === 'ended' || status.phase === 'failed';
  showPhase(isConnected || isOver ? status : 'lost');
  showStatus(chronicle);
  buttons.show(mayAsk && isConnected, chronicle);
}

function showComparison(): void {
  const known = runs.filter((run) => run !== undefined);
  if (known.length < expected) return;
  document.title = `${countOf(expected, 'run')} · Lockstep`;
  setText(byId('title'), countOf(expected, 'run'));
  showPhase('compared');
  comparison.show(known);
}

function askSecret(needs: Needs, wasWrong: boolean, use: (secret: string) => void): void {
  const form = byId<HTMLFormElement>('entrance');
  const input = byId<HTMLInputElement>('secret');
  byId('needs-token').hidden = needs !== 'token';
  byId('needs-key').hidden = needs !== 'key';
  setText(byId('entrance-title'), `This run asks for its ${needs}`);
  setText(byId('secret-name'), needs === 'token' ? 'Token' : 'Key');
  byId('run').hidden = true;
  byId('comparison').hidden = true;
  byId('status').hidden = true;
  form.hidden = false;
  setText(byId('secret-wrong'), wasWrong ? `That is not the ${needs} of this run.` : '');
  input.value = '';
  input.focus();
  form.onsubmit = (event) => {
    event.preventDefault();
    use(input.value.trim().replace(/^.*#key=/, ''));
  };
}

followTheme(byId<HTMLButtonElement>('theme'), () => {
  curves.restyle();
  comparison.restyle();
});
takeKey();
connection.open();
