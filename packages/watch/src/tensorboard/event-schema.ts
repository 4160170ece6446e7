/**
 * What TensorBoard reads, as far as a run has it: tensorboard/compat/proto/event.proto, summary.proto, histogram.proto, and
 * plugins/hparams/api.proto, plugin_data.proto; field numbers as there.
 */
import protobuf from 'protobufjs';
import type { Histogram } from './histogram.js';

const SCHEMA = `
syntax = "proto3";
message Event {
  double wall_time = 1;
  int64 step = 2;
  oneof what { string file_version = 3; Summary summary = 5; SessionLog session_log = 7; }
}
message SessionLog { int32 status = 1; }
message Summary { repeated Value value = 1; }
message Value {
  string tag = 1;
  oneof value { float simple_value = 2; Image image = 4; HistogramProto histo = 5; TensorProto tensor = 8; }
  SummaryMetadata metadata = 9;
}
message Image { int32 height = 1; int32 width = 2; int32 colorspace = 3; bytes encoded_image_string = 4; }
message HistogramProto {
  double min = 1;
  double max = 2;
  double num = 3;
  double sum = 4;
  double sum_squares = 5;
  repeated double bucket_limit = 6;
  repeated double bucket = 7;
}
message TensorProto { int32 dtype = 1; TensorShapeProto tensor_shape = 2; }
message TensorShapeProto { repeated Dim dim = 2; }
message Dim { int64 size = 1; }
message SummaryMetadata { PluginData plugin_data = 1; }
message PluginData { string plugin_name = 1; bytes content = 2; }
message HParamsPluginData {
  int32 version = 1;
  oneof data { Experiment experiment = 2; SessionStartInfo session_start_info = 3; SessionEndInfo session_end_info = 4; }
}
message Experiment {
  double time_created_secs = 3;
  repeated HParamInfo hparam_infos = 4;
  repeated MetricInfo metric_infos = 5;
}
message HParamInfo { string name = 1; int32 type = 4; }
message MetricInfo { MetricName name = 1; }
message MetricName { string group = 1; string tag = 2; }
message SessionStartInfo { map<string, HParam> hparams = 1; double start_time_secs = 5; }
message SessionEndInfo { int32 status = 1; double end_time_secs = 2; }
message HParam { oneof kind { double number_value = 2; string string_value = 3; bool bool_value = 4; } }
`;

export interface TaggedValue {
  readonly tag: string;
  readonly simple_value?: number;
  readonly histo?: Histogram;
  readonly image?: {
    readonly height: number;
    readonly width: number;
    /** 1: grey, 3: RGB. */
    readonly colorspace: 1 | 3;
    /** PNG. */
    readonly encoded_image_string: Uint8Array;
  };
  readonly tensor?: object;
  readonly metadata?: { readonly plugin_data: { readonly plugin_name: string; readonly content: Uint8Array } };
}

/** One event of a file: its first one names the version, the others carry values of a step, or say that a run goes on. */
export interface TensorBoardEvent {
  /** Seconds since 1970. */
  readonly wall_time: number;
  readonly step?: number;
  readonly file_version?: string;
  readonly summary?: { readonly value: readonly TaggedValue[] };
  /** Status `SESSION_START`: what files before this one have of this step and later ones is not to be shown. */
  readonly session_log?: { readonly status: number };
}

export const SESSION_START = 1;

const { root } = protobuf.parse(SCHEMA, { keepCase: true });

function encode(name: string, message: object): Uint8Array {
  const type = root.lookupType(name);
  return type.encode(type.fromObject(message)).finish();
}

export const encodeEvent = (event: TensorBoardEvent): Uint8Array => encode('Event', event);

export const encodeHParams = (data: object): Uint8Array => encode('HParamsPluginData', data);
