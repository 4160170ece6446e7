import { inferLayers } from '@lockstep/core/model';
import { canonicalPartials, planContribution, type ShardRange } from '@lockstep/core/run';
import { recipeSchema } from '@lockstep/core/spec';
import type { Assignment } from '@lockstep/core/wire';
import { zooModels } from '@lockstep/core/zoo';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxPartials, planMemory } from '../plan/memory-plan.js';
import { comesFor, type RoutedBucket, type SharedStep, SharedSteps } from './shared-step.js';

const layout = planContribution(inferLayers((zooModels[0] as (typeof zooModels)[number]).model));

/** Every replica's plan of a step. */
function planAll(assignment: Assignment, shards: number): Map<number, SharedStep> {
  const recipe = recipeSchema.parse({ batchSize: 16 * shards, shardSize: 16, optimizer: { type: 'sgd' } });
  const memory = planMemory(layout, recipe, 2, maxPartials(recipe));
  return new Map(assignment.replicas.map((me) => [me, new SharedSteps(me, layout, memory, 2).begin(assignment, [])]));
}

const keyOf = ({ begin, end }: ShardRange): string => `${begin}-${end}`;

/** Replicas 0, 1, 2, ..., of which some have shards, maybe in groups that hold neighbours, whose leaders own the buckets. */
const anyAssignment = fc
  .record({
    sizes: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 2, maxLength: 12 }).filter((all) => all.some(Boolean)),
    cuts: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
    owners: fc.integer({ min: 1, max: 12 }),
    way: fc.constantFrom('flat', 'grouped', 'swap'),
  })
  .map(({ sizes, cuts, owners, way }) => {
    let at = 0;
    const members = sizes.map((size, node) => {
      at += size;
      return { node, range: { begin: at - size, end: at } };
    });
    const replicas = sizes.map((_, node) => node);
    const groups: number[][] = [];
    for (const node of replicas) {
      if (node === 0 || cuts[node]) groups.push([node]);
      else groups.at(-1)?.push(node);
    }
    const leaders = way === 'grouped' ? groups.map(([first]) => first as number) : replicas;
    const assignment: Assignment = {
      type: 'assign',
      step: 0,
      generation: 1,
      members: members.filter(({ range }) => range.end > range.begin),
      owners: way === 'swap' ? [] : leaders.slice(0, owners),
      replicas,
      groups: way === 'grouped' ? groups : [],
      withHash: false,
    };
    return { assignment, shards: at };
  });

describe('the plans of a step that several nodes share', () => {
  it('fit together: each awaits just what the others send it, and every replica gets every sum once', () => {
    fc.assert(
      fc.property(anyAssignment, ({ assignment, shards }) => {
        const plans = planAll(assignment, shards);
        for (const index of (plans.get(0) as SharedStep).buckets.keys()) {
          const sent: string[] = [];
          const awaited: string[] = [];
          const reached: number[] = [];
          for (const [me, { buckets, own, awaited: all, missing, sent: isSent }] of plans) {
            const bucket = buckets[index] as RoutedBucket;
            const before = sent.length;
            for (const node of bucket.up) {
              sent.push(...own.map(({ range }) => `${me} to ${node}: ${keyOf(range)}`));
            }
            expect(isSent[index]).toBe(sent.length > before ? 0 : 1);
            const mine = all.filter((one) => comesFor(one, bucket, me));
            awaited.push(...mine.map(({ from, range }) => `${from} to ${me}: ${keyOf(range)}`));
            expect(missing[index]).toBe(mine.length);
            if (bucket.owner === me) reached.push(me);
            reached.push(...bucket.below);
            for (const node of bucket.below) expect(plans.get(node)?.buckets[index]?.up).toEqual([me]);
          }
          expect(awaited.sort()).toEqual(sent.sort());
          expect(reached.sort((a, b) => a - b)).toEqual(assignment.replicas);
        }
      }),
    );
  });

  it('add up all shards once, in order, whoever owns a bucket, and in the canonical tree alone', () => {
    fc.assert(
      fc.property(anyAssignment, ({ assignment, shards }) => {
        for (const [me, plan] of planAll(assignment, shards)) {
          const held = [...plan.computed, ...plan.awaited];
          const rangeAt = new Map(held.map(({ unit, range }) => [unit, range]));
          for (const { into, partials } of [...plan.jobs, ...plan.reduction]) {
            const ranges = partials.map((unit) => rangeAt.get(unit) as ShardRange);
            for (let i = 1; i < ranges.length; i++) expect(ranges[i]?.begin).toBe(ranges[i - 1]?.end);
            const sum = { begin: ranges[0]?.begin as number, end: ranges.at(-1)?.end as number };
            const isWhole = plan.reduction.some((job) => job.into === into);
            if (isWhole) expect(sum).toEqual({ begin: 0, end: shards });
            else expect(canonicalPartials(sum)).toEqual([sum]);
          }
          const isOwner = assignment.owners.length === 0 || assignment.owners.includes(me);
          expect(plan.reduction).toHaveLength(isOwner ? 1 : 0);
        }
      }),
    );
  });

  it('never hold two vectors in one place, nor more than there is room for', () => {
    fc.assert(
      fc.property(anyAssignment, ({ assignment, shards }) => {
        for (const { computed, awaited, jobs, reduction } of planAll(assignment, shards).values()) {
          const units = [...computed, ...awaited].map(({ unit }) => unit);
          units.push(...[...jobs, ...reduction].map(({ into }) => into));
          expect(new Set(units).size).toBe(units.length);
        }
      }),
    );
  });

  it('are refused where the sums of a step have no room', () => {
    const nodes = Array.from({ length: 130 }, (_, node) => node);
    const members = nodes.map((node) => ({ node, range: { begin: 3 * node + 1, end: 3 * node + 4 } }));
    members[0] = { node: 0, range: { begin: 0, end: 4 } };
    const base = { type: 'assign', step: 0, generation: 1, members, replicas: nodes, withHash: false } as const;
    const plan = (more: Pick<Assignment, 'owners' | 'groups'>) => planAll({ ...base, ...more, members }, 391);
    expect(() => plan({ owners: [0], groups: [] })).toThrow(
      expect.objectContaining({ code: 'LOCKSTEP_NODE_SUMS', text: expect.stringContaining('--topology hierarchical') }),
    );
    const groups = Array.from({ length: 13 }, (_, group) => nodes.slice(10 * group, 10 * group + 10));
    expect(plan({ owners: [0], groups }).size).toBe(130);
  });
});
