/* The tee bucket's type. A read reads the bucket it stands for, shows the bytes, and turns itself into what that
 * bucket became; what is left to read goes into a new tee behind it. */
#include "tee_bucket.h"

typedef struct tee_data_t {
    const icp_tee_t *tee;
    apr_bucket_brigade *rest; /* the wrapped bucket, alone */
    apr_pool_t *pool;
} tee_data_t;

static apr_bucket *tee_create(apr_bucket_brigade *rest, const icp_tee_t *tee, apr_bucket_alloc_t *list, apr_pool_t *pool);

static apr_status_t tee_read(apr_bucket *bucket, const char **bytes, apr_size_t *length, apr_read_type_e block)
{
    tee_data_t *data = bucket->data;
    apr_bucket *inner = APR_BRIGADE_FIRST(data->rest);
    apr_status_t rv = apr_bucket_read(inner, bytes, length, block);
    if (rv != APR_SUCCESS) {
        return rv;
    }

    const icp_tee_t *tee = data->tee;
    APR_BUCKET_REMOVE(inner);
    if (*length) tee->data(tee->baton, *bytes, *length);
    if (APR_BRIGADE_EMPTY(data->rest)) {
        apr_brigade_destroy(data->rest);
        tee->closed(tee->baton, 1);
    }
    else {
        APR_BUCKET_INSERT_AFTER(bucket, tee_create(data->rest, tee, bucket->list, data->pool));
    }
    apr_bucket_free(data);

    /* Become what was read; only the wrapped bucket's empty shell is freed. */
    bucket->type = inner->type;
    bucket->data = inner->data;
    bucket->start = inner->start;
    bucket->length = inner->length;
    inner->free(inner);
    return APR_SUCCESS;
}

static void tee_destroy(void *self)
{
    tee_data_t *data = self;
    data->tee->closed(data->tee->baton, 0);
    apr_brigade_destroy(data->rest);
    apr_bucket_free(data);
}

static apr_status_t tee_setaside(apr_bucket *bucket, apr_pool_t *pool)
{
    tee_data_t *data = bucket->data;
    return apr_bucket_setaside(APR_BRIGADE_FIRST(data->rest), pool);
}

static const apr_bucket_type_t tee_type = {
    "ICP-TEE", 5, APR_BUCKET_DATA, tee_destroy, tee_read, tee_setaside, apr_bucket_split_notimpl, apr_bucket_copy_notimpl,
};

static apr_bucket *tee_create(apr_bucket_brigade *rest, const icp_tee_t *tee, apr_bucket_alloc_t *list, apr_pool_t *pool)
{
    tee_data_t *data = apr_bucket_alloc(sizeof *data, list);
    data->tee = tee;
    data->rest = rest;
    data->pool = pool;

    apr_bucket *bucket = apr_bucket_alloc(sizeof *bucket, list);
    APR_BUCKET_INIT(bucket);
    bucket->free = apr_bucket_free;
    bucket->list = list;
    bucket->type = &tee_type;
    bucket->data = data;
    bucket->start = 0;
    bucket->length = APR_BRIGADE_FIRST(rest)->length;
    return bucket;
}

apr_bucket *icp_tee_wrap(apr_bucket *bucket, const icp_tee_t *tee, apr_pool_t *pool)
{
    apr_bucket_brigade *rest = apr_brigade_create(pool, bucket->list);
    apr_bucket *before = APR_BUCKET_PREV(bucket);
    APR_BUCKET_REMOVE(bucket);
    APR_BRIGADE_INSERT_TAIL(rest, bucket);
    apr_bucket *wrapped = tee_create(rest, tee, bucket->list, pool);
    APR_BUCKET_INSERT_AFTER(before, wrapped);
    return wrapped;
}
