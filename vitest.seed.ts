/** Loaded before each test file where LOCKSTEP_SEED is set: what fast-check draws follows from it then. */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['LOCKSTEP_SEED']) });
