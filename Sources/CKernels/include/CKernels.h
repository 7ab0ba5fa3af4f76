#pragma once
#include "mask_stream.h"
#include "training_kernels.h"
