/* The lists that a form lets one choose from, with their words. */
#include "form.h"

#include <string.h>

const icp_choice_t icp_form_kinds[] = {
#define X(c, word, en, zh) {word, {en, zh}},
    ICP_FORM_KINDS(X)
#undef X
    {NULL, {NULL}}};

const icp_choice_t icp_form_holder_kinds[] = {
    {"business", {"Business or other organisation", "单位"}},
    {"person", {"Person", "个人"}},
    {NULL, {NULL}},
};

/* In the order of the provinces' official codes. */
const icp_choice_t icp_form_provinces[] = {
    {"京", {"Beijing", "北京"}},        {"津", {"Tianjin", "天津"}},   {"冀", {"Hebei", "河北"}},   {"晋", {"Shanxi", "山西"}},
    {"蒙", {"Inner Mongolia", "内蒙古"}}, {"辽", {"Liaoning", "辽宁"}},  {"吉", {"Jilin", "吉林"}},   {"黑", {"Heilongjiang", "黑龙江"}},
    {"沪", {"Shanghai", "上海"}},       {"苏", {"Jiangsu", "江苏"}},   {"浙", {"Zhejiang", "浙江"}}, {"皖", {"Anhui", "安徽"}},
    {"闽", {"Fujian", "福建"}},         {"赣", {"Jiangxi", "江西"}},   {"鲁", {"Shandong", "山东"}}, {"豫", {"Henan", "河南"}},
    {"鄂", {"Hubei", "湖北"}},          {"湘", {"Hunan", "湖南"}},     {"粤", {"Guangdong", "广东"}}, {"桂", {"Guangxi", "广西"}},
    {"琼", {"Hainan", "海南"}},         {"渝", {"Chongqing", "重庆"}}, {"蜀", {"Sichuan", "四川"}}, {"黔", {"Guizhou", "贵州"}},
    {"滇", {"Yunnan", "云南"}},         {"藏", {"Tibet", "西藏"}},     {"陕", {"Shaanxi", "陕西"}}, {"陇", {"Gansu", "甘肃"}},
    {"青", {"Qinghai", "青海"}},        {"宁", {"Ningxia", "宁夏"}},   {"新", {"Xinjiang", "新疆"}}, {NULL, {NULL}},
};

const icp_choice_t icp_form_categories[] = {
    {"organisation", {"The organisation's own site", "单位门户网站"}},
    {"personal", {"Personal site or blog", "博客/个人空间"}},
    {"commerce", {"Shop", "网上商务"}},
    {"portal", {"General portal", "综合门户"}},
    {"search", {"Search engine", "搜索引擎"}},
    {"forum", {"Forum or community", "网络论坛/社区"}},
    {"advertising", {"Advertising", "网络广告"}},
    {"download", {"Software downloads", "软件下载"}},
    {"mail", {"E-mail service", "网上邮局"}},
    {"video", {"Audio and video (needs prior approval)", "网络音视频（需前置审批）"}},
    {"games", {"Games (needs prior approval)", "网络游戏（需前置审批）"}},
    {"news", {"News (needs prior approval)", "新闻（需前置审批）"}},
    {"publishing", {"Publishing (needs prior approval)", "出版（需前置审批）"}},
    {"medicine", {"Drugs and medical devices (needs prior approval)", "药品和医疗器械（需前置审批）"}},
    {"finance", {"Finance (needs prior approval)", "互联网金融（需前置审批）"}},
    {"other", {"Other", "其他"}},
    {NULL, {NULL}},
};

const icp_choice_t *icp_choice_find(const icp_choice_t *list, const char *value)
{
    for (; list->value; list++) {
        if (!strcmp(list->value, value)) return list;
    }
    return NULL;
}
