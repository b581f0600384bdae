// Everything a program needs: #include <vecframe/vecframe.h>
#pragma once

#include <vecframe/arrow_c.h>
#include <vecframe/dataframe.h>
#include <vecframe/download.h>
#include <vecframe/error.h>
#include <vecframe/expression.h>
#include <vecframe/functions.h>
#include <vecframe/inspect.h>
#include <vecframe/jobs.h>
#include <vecframe/loaded_model.h>
#include <vecframe/models.h>
#include <vecframe/provider.h>
#include <vecframe/run.h>
#include <vecframe/session.h>
#include <vecframe/version.h>
