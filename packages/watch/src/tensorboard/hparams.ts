/** The hyper-parameters of a run for TensorBoard's table of runs: what it was, what it is measured by, how it ended. */
import { encodeHParams, type TaggedValue } from './event-schema.js';

export type HParamValue = number | string | boolean;

/** hparams' DataType. */
const dataType = { string: 1, boolean: 2, number: 3 } as const;
/** hparams' Status. */
const status = { success: 1, failure: 2 } as const;
const valueField = { string: 'string_value', boolean: 'bool_value', number: 'number_value' } as const;

/** DT_FLOAT of no elements: values of the plugin carry their message as metadata, and no tensor. */
const NOTHING = { dtype: 1, tensor_shape: { dim: [{ size: 0 }] } };

type Kind = keyof typeof dataType;

const describe = (tag: string, data: object): TaggedValue => ({
  tag: `_hparams_/${tag}`,
  tensor: NOTHING,
  metadata: { plugin_data: { plugin_name: 'hparams', content: encodeHParams(data) } },
});

/** @param metrics tags of scalars that runs are compared by */
export function describeStart(
  hparams: Readonly<Record<string, HParamValue>>,
  metrics: readonly string[],
  seconds: number,
): TaggedValue[] {
  const entries = Object.entries(hparams);
  return [
    describe('experiment', {
      experiment: {
        time_created_secs: seconds,
        hparam_infos: entries.map(([name, value]) => ({ name, type: dataType[typeof value as Kind] })),
        metric_infos: metrics.map((tag) => ({ name: { tag } })),
      },
    }),
    describe('session_start_info', {
      session_start_info: {
        hparams: Object.fromEntries(
          entries.map(([name, value]) => [name, { [valueField[typeof value as Kind]]: value }]),
        ),
        start_time_secs: seconds,
      },
    }),
  ];
}

export const describeEnd = (outcome: keyof typeof status, seconds: number): TaggedValue =>
  describe('session_end_info', { session_end_info: { status: status[outcome], end_time_secs: seconds } });
