/* SPDX-License-Identifier: MIT */
/* weir.h - everything: producers, a bounded queue, workers, outcomes. */
#ifndef WEIR_H
#define WEIR_H

#include <weir/adaptive.h>
#include <weir/breaker.h>
#include <weir/deadline.h>
#include <weir/events.h>
#include <weir/fan.h>
#include <weir/future.h>
#include <weir/group.h>
#include <weir/histogram.h>
#include <weir/memory.h>
#include <weir/metrics.h>
#include <weir/picture.h>
#include <weir/pipeline.h>
#include <weir/pool.h>
#include <weir/process.h>
#include <weir/producer.h>
#include <weir/queue.h>
#include <weir/rate.h>
#include <weir/result.h>
#include <weir/retry.h>
#include <weir/run.h>
#include <weir/semaphore.h>
#include <weir/status.h>
#include <weir/stream.h>
#include <weir/task.h>
#include <weir/trace.h>
#include <weir/version.h>

#endif /* WEIR_H */
