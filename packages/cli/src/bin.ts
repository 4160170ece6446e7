#!/usr/bin/env node
/** The installed package's `lockstep`. */
import { main } from './main.js';

process.exitCode = await main(process.argv.slice(2));
