import { evaluate } from './packages/cli/dist/session.js';
import { loadModelState, readModelOfWeights } from './packages/cli/dist/weights-file.js';
import { openDataset } from '@lockstep/core';
import fs from 'node:fs';
const w = process.argv[2], onnx = process.argv[3];
const model = readModelOfWeights(w); const state = loadModelState(w, model);
const dataset = await openDataset('../shared/mnist');
let t=Date.now();
const r = await evaluate({model, dataset, split:'test', state, workers:2, logits:true});
console.log('native', Date.now()-t, r.correct);
const ort = await import('onnxruntime-web');
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(fs.readFileSync(onnx), {executionProviders:['wasm']});
t=Date.now(); let max=0, diff=0, maxl=0;
for (let from=0; from<10000; from+=500) {
  const x = Float32Array.from(dataset.test.images.subarray(from*784,(from+500)*784));
  const out = await session.run({pixels: new ort.Tensor('float32', x, [500,1,28,28])});
  const l = out.logits.data;
  for (let i=0;i<500;i++){ let best=0; for(let c=0;c<10;c++){ if(l[i*10+c]>l[i*10+best])best=c; max=Math.max(max,Math.abs(l[i*10+c]-r.logits[(from+i)*10+c])); maxl=Math.max(maxl,Math.abs(l[i*10+c]));} if(best!==r.predictions[from+i].predicted)diff++; }
}
console.log('ort', Date.now()-t, 'max logit difference', max, 'of', maxl, 'different predictions', diff);
const { computeLogits } = await import('./packages/core/page/network.mjs');
const { describePageModel, collectWeights, inferLayers, assumeData } = await import('@lockstep/core');
const pm = describePageModel(model, assumeData(model)); const parts = collectWeights(inferLayers(model), state);
const flat = Float32Array.from(parts.flatMap(p=>[...p]));
t=Date.now(); max=0; diff=0;
for(let i=0;i<2000;i++){ const l=computeLogits(pm, flat, dataset.test.images.subarray(i*784,(i+1)*784)); let best=0; for(let c=0;c<10;c++){ if(l[c]>l[best])best=c; max=Math.max(max,Math.abs(l[c]-r.logits[i*10+c]));} if(best!==r.predictions[i].predicted)diff++; }
console.log('page', Date.now()-t, max, diff);
