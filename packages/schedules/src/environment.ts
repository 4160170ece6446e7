/** Small buckets, so that the small runs of schedules have several: read before anything that plans with them. */
process.env['LOCKSTEP_BUCKET_FLOATS'] ??= '64';
