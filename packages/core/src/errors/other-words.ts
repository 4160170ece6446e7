/** What options are called in Keras, PyTorch, Lightning and others, and what Lockstep has for them. */

/** Letters alone decide whether two names are the same: `--batch_size`, `batch-size`, `batchSize`. */
export const fold = (name: string): string => name.toLowerCase().replace(/[-_]/g, '');

/** Our names, and theirs in folded form. */
const OURS: Readonly<Record<string, string>> = {
  batchSize: 'batch minibatch bs trainbatchsize perdevicetrainbatchsize',
  learningRate: 'lr rate eta baselr initlr initiallr maxlr',
  workers: 'numworkers nworkers jobs threads numthreads nthreads nproc nprocs numprocs processes cpus cores',
  validation: 'valsplit validationsplit valsize validationsize testsplit testsize holdout',
  patience: 'earlystop earlystopping earlystoppingpatience',
  epochs: 'numepochs nepochs maxepochs numtrainepochs',
  steps: 'maxsteps numsteps iterations maxiter maxiters limittrainbatches',
  optimizer: 'optim opt',
  schedule: 'scheduler lrscheduler lrschedule lrschedulertype',
  weightDecay: 'wd decay l2',
  clipNorm: 'clip gradclip clipgrad clipgradnorm maxgradnorm maxnorm gradientclipval',
  warmupSteps: 'warmup numwarmupsteps',
  labelSmoothing: 'smoothing',
  betas: 'beta1 beta2',
  eps: 'epsilon adamepsilon',
  ema: 'emadecay modelema',
  rotation: 'rotate degrees',
  shift: 'translate widthshiftrange heightshiftrange',
  dropout: 'dropoutrate',
  resize: 'imgsize imagesize inputsize',
  seed: 'randomseed randomstate manualseed rngseed',
  model: 'arch architecture network',
  engine: 'backend framework',
  data: 'dataset datadir dataroot datapath traindir',
  weights: 'pretrained loadweights initweights',
  out: 'output outputdir outdir savedir defaultrootdir',
  checkpoint: 'ckpt ckptdir checkpointdir checkpointpath',
  resume: 'resumefromcheckpoint ckptpath restore loadcheckpoint',
  every: 'saveevery savefreq savesteps checkpointevery checkpointinterval',
  keep: 'maxtokeep savetopk savetotallimit',
  best: 'monitor savebest savebestonly',
  tensorboard: 'tb logdir tensorboarddir',
  trace: 'profile profiler',
  dryRun: 'fastdevrun smoketest',
  listen: 'masteraddr masterport',
  quiet: 'silent',
};

const CPU = 'Lockstep computes on the CPU, so there is no device to choose; --workers says on how many threads';
const TRACKER =
  'Lockstep sends nothing to trackers; for other programs --tensorboard DIR writes event files, --out DIR JSON lines and CSV, and --metrics PORT serves Prometheus';
const FLOATS = 'Lockstep computes in float32; --gradient-precision bf16 halves what travels between nodes';
const MACHINES =
  'several machines take part by --listen on one and `lockstep worker --connect` on the others, or by `lockstep launch` under Slurm, MPI and Kubernetes';
const SAME = 'every run is deterministic, and --seed decides it';
const MEMORY = 'the data are held in memory, so there is nothing to load ahead';

/** Where Lockstep has nothing of the kind: what to do instead, or why not. */
const INSTEAD: readonly (readonly [string, string])[] = [
  ['gpu gpus ngpus cuda nocuda usecuda device devices accelerator mps nomps tpu tpus', CPU],
  ['wandb usewandb wandbproject mlflow comet neptune clearml logger reportto', TRACKER],
  ['fp16 bf16 amp useamp half precision mixedprecision dtype', FLOATS],
  ['ddp fsdp strategy distributed nnodes numnodes nprocpernode rank localrank worldsize distbackend disturl', MACHINES],
  ['deterministic shuffle cudnnbenchmark', SAME],
  ['pinmemory prefetch prefetchfactor persistentworkers', MEMORY],
  [
    'accumulate accumulategradbatches gradientaccumulationsteps gradaccum',
    'a batch is added up shard by shard already; give --batch-size the whole of it',
  ],
  ['loss lossfn criterion', 'the loss is cross-entropy, with --label-smoothing if that is given'],
  ['verbose', 'every epoch has its line already; --json has all, and LOCKSTEP_DEBUG=1 the stack of an error'],
  ['debug', 'LOCKSTEP_DEBUG=1 in the environment shows the stack of an error'],
  ['model arch architecture network net', 'the model is a word without a flag: `lockstep train net19k`'],
];

const ourNames = new Map(
  Object.entries(OURS).flatMap(([ours, theirs]) => theirs.split(' ').map((word) => [word, fold(ours)] as const)),
);
const sentences = new Map(INSTEAD.flatMap(([theirs, text]) => theirs.split(' ').map((word) => [word, text] as const)));

/** Our folded name for another tool's. */
export const ourNameOf = (theirs: string): string | undefined => ourNames.get(fold(theirs));

/** What to do instead of another tool's option that we have nothing like. */
export const insteadOf = (theirs: string): string | undefined => sentences.get(fold(theirs));
