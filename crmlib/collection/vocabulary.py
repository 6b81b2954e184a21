"""The names people give to columns, tables and marks, in Chinese and English.

Chinese is written in Simplified characters: a header is brought to them before it is compared.
Aliases are compared without blanks, case and punctuation, so `order id` is also `OrderID` and
`ORDER_ID`. In each list the more telling name comes first.
"""


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split("|"))


def _table(**columns: str) -> dict[str, tuple[str, ...]]:
    return {column: _names(names) for column, names in columns.items()}


_WHO = (
    "customer unique id | customer id | customer no | customer number | customer code | cust id | cust no | client id"
    " | client no | clientnum | account id | account no | account number | member id | member no | user id | buyer id"
    " | customer key | shopper id | party id | customer | 客户编号 | 客户id | 客户号 | 客户代码 | 客户编码 | 会员编号"
    " | 会员id | 会员号 | 会员卡号 | 用户id | 用户编号 | 买家id | 顾客编号 | 顾客id | 客户"
)
_CHANNEL = "channel | platform | sales channel | contact channel | medium | source channel | 渠道 | 通路 | 平台 | 来源渠道 | 销售渠道 | 沟通渠道"
_NEED = "need | needs | preference | preferences | customer need | need type | 需求类型 | 需求和偏好 | 需求与偏好 | 需求偏好 | 需求"
_TEXT = "text | comment | comments | content | message | comment message | review text | feedback text | notes | remark | 内容 | 备注 | 评论 | 评论内容 | 反馈内容 | 意见 | 客户原话 | 描述 | 记录"

ALIASES: dict[str, dict[str, tuple[str, ...]]] = {
    "customers": _table(
        customer_id=_WHO,
        name="customer name | name | full name | client name | company | company name | contact name | surname | 客户名称 | 客户姓名 | 姓名 | 公司名称 | 企业名称 | 会员姓名 | 名称",
        contact="phone | telephone | mobile | phone number | mobile number | contact | email | e-mail | email address | 联系方式 | 联系电话 | 电话 | 手机 | 手机号 | 手机号码 | 联络电话 | 邮箱 | 电子邮件",
        customer_type="customer type | client type | customer segment | segment | 客户类型 | 客户类别 | 客户性质 | 细分",
        industry="industry | sector | line of business | 所属行业 | 行业 | 行业类别",
        region="region | province | state | customer state | country | geography | 地区 | 区域 | 省份 | 省 | 省/自治区 | 所在省份 | 所在地区",
        city="city | town | customer city | 城市 | 所在城市 | 市",
        gender="gender | sex | 性别",
        birth_year="birth year | year of birth | year birth | yob | 出生年份 | 出生年",
        scale="company size | business scale | business size | employees | size | 企业规模 | 公司规模 | 规模",
        credit_grade="credit grade | credit rating | 信用等级 | 信用评级 | 资信等级",
        opened_day="opened on | signup date | sign up date | registered on | registration date | account opened | enrollment date | dt customer | join date | customer since | 开户日期 | 注册日期 | 注册时间 | 入会日期 | 建档日期",
        need=_NEED,
        updated_day="updated on | updated at | last modified | last updated | modified on | 更新日期 | 更新时间 | 修改日期",
    ),
    "transactions": _table(
        customer_id=f"{_WHO} | master id | 购买人 | 买家",
        order_id="order id | order no | order number | invoice no | invoice id | invoice number | invoice | receipt no | receipt | transaction id | transaction no | basket id | bill no | document no | order | 订单编号 | 订单号 | 订单 id | 单据号 | 单据编号 | 发票号码 | 发票号 | 交易号 | 交易编号 | 流水号 | 小票号 | 单号",
        ordered_at="order date | ordered at | order time | order purchase timestamp | purchase timestamp | purchase date | invoice date | transaction date | transaction time | sale date | sales date | invoice day | trade date | date | day | timestamp | 订单日期 | 下单时间 | 下单日期 | 业务日期 | 交易日期 | 交易时间 | 购买日期 | 购买时间 | 销售日期 | 成交日期 | 成交时间 | 付款时间 | 日期 | 时间",
        product_id="product id | product code | stock code | sku | item id | item code | item no | article | product no | 产品编号 | 产品 id | 商品编码 | 商品编号 | 商品id | 产品代码 | 货号",
        product="product name | product | item name | product description | description | item | goods | 产品名称 | 商品名称 | 品名 | 产品 | 商品 | 货品名称",
        product_group="product category | product category name | product group | product line | category | product type | department | 产品类别 | 商品类别 | 类别 | 品类 | 产品分类 | 商品分类 | 类目 | 产品线 | 子类别",
        channel=_CHANNEL,
        region="region | province | state | country | ship country | ship region | 地区 | 区域 | 省份 | 省 | 省/自治区 | 收货省份",
        quantity="quantity | qty | n cds | units | pieces | unit count | items | quantity ordered | 数量 | 购买数量 | 销售数量 | 销量 | 件数",
        price="unit price | price | price each | item price | selling price | 单价 | 售价 | 商品单价 | 成交单价 | 价格",
        amount="amount | sales amount | line total | sales | order amount | transaction amount | net sales | total price | total amount | payment value | revenue | turnover | value | total | 销售额 | 金额 | 销售金额 | 订单金额 | 交易金额 | 消费金额 | 成交金额 | 实付金额 | 总金额 | 总价",
        profit="profit | gross profit | margin | 利润 | 毛利 | 利润额",
        discount="discount | discount rate | discount share | discount percent | 折扣 | 折扣率 | 折率",
        returned="returned | is return | is returned | return flag | return | 退回 | 退货 | 是否退货 | 退货标志 | 是否退回",
    ),
    "snapshot": _table(
        customer_id=_WHO,
        taken_day="snapshot date | as of | as of date | report date | data date | 统计日期 | 数据日期 | 截止日期 | 快照日期",
        orders="orders | order count | number of orders | total orders | total trans ct | purchase count | transactions | num purchases | frequency | 订单数 | 购买次数 | 消费次数 | 交易笔数 | 交易次数 | 历史购买记录",
        spend="total spend | spend | total spent | total revenue | total charges | total trans amt | total amount | total sales | purchases | amount spent | monetary | 消费总额 | 累计消费 | 累计消费金额 | 消费金额 | 总消费 | 交易总额 | 累计金额",
        profit="profit | profit contribution | total profit | 利润贡献 | 利润 | 累计利润",
        last_day="last order date | last purchase | last purchase date | last transaction date | last order | 最近购买日期 | 最后购买日期 | 最近消费日期 | 最近交易日期 | 最后交易日期",
        first_day="first order date | first purchase | first purchase date | start date | customer since | 首次购买日期 | 首单日期 | 首次消费日期 | 入网日期 | 开户日期",
        tenure_months="tenure in months | tenure months | months on book | tenure | account length | 在网时长 | 在网月数 | 入网月数 | 客户月数",
        satisfaction="satisfaction score | satisfaction | csat | 满意度 | 满意度评分 | 满意度得分",
        lifetime_value="cltv | clv | lifetime value | customer lifetime value | ltv | 客户终身价值 | 生命周期价值 | 客户生命周期价值",
        churned="churn value | churn label | churn | churned | exited | attrition flag | attrition | is churn | left | closed | 流失 | 是否流失 | 流失标志 | 是否离网 | 离网",
    ),
    "tiers": _table(
        customer_id=_WHO,
        name="客户名称 | customer name | name | customer | 客户 | 客户姓名 | 名称",
        contact="联系方式 | contact | phone | telephone | 联系电话 | 电话 | 手机",
        industry="所属行业 | industry | 行业",
        orders="历史购买记录 | purchase record | purchases | orders | 购买次数 | 购买记录 | 订单数",
        spend="消费金额 | spend | amount | total spend | 累计消费 | 消费总额",
        profit="利润贡献 | profit contribution | profit | 利润",
        frequency="购买频率 | purchase frequency | frequency | 频率 | 购买频次",
        activity="活跃度 | activity | activity level | 活跃程度",
        loyalty="忠诚度 | loyalty | 客户忠诚度",
        need=f"需求和偏好 | {_NEED}",
        satisfaction="满意度 | satisfaction | 客户满意度",
        tier="分级 | tier | grade | customer tier | value class | 客户分级 | 客户等级 | 级别 | 等级",
    ),
    "surveys": _table(
        customer_id=f"respondent | respondent id | {_WHO} | 受访者 | 受访者编号",
        answered_day="answered on | survey date | response date | submitted at | completed at | interview date | review creation date | review date | date | 填写日期 | 填写时间 | 提交时间 | 提交日期 | 调查日期 | 答题时间 | 回收日期 | 日期",
        product="product | product satisfaction | product quality | 产品满意度 | 产品质量 | 产品",
        service="service | service satisfaction | service quality | 服务满意度 | 服务质量 | 服务态度 | 服务",
        after_sales="after sales | after sales satisfaction | after sales service | support | 售后满意度 | 售后服务 | 售后",
        brand="brand | brand satisfaction | image | brand image | 品牌满意度 | 品牌形象 | 品牌",
        overall="overall satisfaction | overall | satisfaction | satisfaction score | review score | rating | score | stars | csat | 总体满意度 | 整体满意度 | 满意度 | 评分 | 总体评分 | 综合评分",
        recommend="recommend | nps | likelihood to recommend | recommendation | would recommend | nps score | 推荐意愿 | 推荐度 | 推荐 | 净推荐值",
    ),
    "needs": _table(
        customer_id=_WHO,
        asked_day="asked on | survey date | date | asked at | 调查日期 | 询问日期 | 填写日期 | 日期",
        need=_NEED,
        product_preference="product preference | preferred product | wanted product | 产品偏好 | 偏好产品 | 意向产品",
        price_sensitivity="price sensitivity | 价格敏感度 | 价格敏感性",
        service_expectation="service expectation | service expectations | 服务期望 | 服务期望值",
        comment=_TEXT,
    ),
    "feedback": _table(
        customer_id=_WHO,
        said_day="feedback date | review date | review creation date | date | said on | created at | created on | 反馈日期 | 反馈时间 | 评论时间 | 评价日期 | 投诉日期 | 日期 | 时间",
        kind="feedback type | kind | type | feedback kind | 反馈类型 | 类型 | 反馈类别",
        channel=_CHANNEL,
        topic="topic | subject | feedback topic | theme | review comment title | comment title | title | 主题 | 反馈主题 | 话题 | 问题类别",
        rating="rating | review score | stars | score | 评分 | 评价等级 | 星级",
        text=f"review comment message | feedback | review | {_TEXT} | 反馈",
    ),
    "interactions": _table(
        customer_id=_WHO,
        opened_at="opened at | created at | contact time | contact date | opened | call time | start time | case opened | post time | date | 受理时间 | 创建时间 | 联系时间 | 联系日期 | 来电时间 | 开始时间 | 服务日期 | 发布时间 | 时间 | 日期",
        answered_at="answered at | first response | first response at | first reply | first answer | response time | 首次响应时间 | 响应时间 | 首次回复时间 | 回复时间",
        resolved_at="resolved at | closed at | resolution date | completed at | case closed | solved at | 解决时间 | 办结时间 | 关闭时间 | 完成时间 | 处理完成时间",
        kind="interaction type | case type | ticket type | kind | contact type | type | 服务类型 | 互动类型 | 工单类型 | 联系类型 | 类型",
        channel=_CHANNEL,
        topic="topic | subject | issue | reason | 主题 | 问题 | 事由 | 话题",
        sentiment="sentiment | tone | 情感 | 情绪 | 情感倾向",
        text=_TEXT,
    ),
    "relations": _table(
        customer_id=f"from customer | from | customer a | from id | source id | source | {_WHO} | 客户a | 起点 | 甲方",
        other_id="to customer | other customer | to | customer b | to id | target id | target | other id | related customer | partner id | 关联客户 | 关联客户编号 | 对方客户 | 对方编号 | 客户b | 终点 | 乙方",
        kind="relation | relation type | relationship | relationship type | kind | type | edge type | 关系 | 关系类型 | 类型",
        strength="strength | weight | relation strength | 强度 | 关系强度 | 权重",
        since_day="since | since date | start date | began | 建立日期 | 开始日期 | 起始日期",
    ),
    "costs": _table(
        customer_id=_WHO,
        cost_day="cost date | date | month | day | cost month | 费用日期 | 发生日期 | 成本日期 | 月份 | 日期",
        kind="cost type | expense type | kind | type | cost kind | 费用类型 | 成本类型 | 成本类别 | 类型",
        channel=_CHANNEL,
        amount="cost | cost amount | amount | expense | spend | 费用 | 成本 | 费用金额 | 成本金额 | 金额",
    ),
    "campaigns": _table(
        campaign="campaign | campaign name | activity | 活动 | 活动名称 | 营销活动 | 推广活动",
        channel=_CHANNEL,
        began_day="start date | began on | campaign start | begin date | start | date | 开始日期 | 开始时间 | 起始日期",
        ended_day="end date | ended on | campaign end | end | 结束日期 | 结束时间 | 截止日期",
        reach="reach | impressions | views | audience | 触达人数 | 触达 | 曝光量 | 曝光 | 覆盖人数 | 浏览量",
        engagement="engagement | engagements | clicks | interactions | likes | 互动量 | 互动人数 | 互动 | 点击量 | 参与人数",
        conversions="conversions | converted | purchases | orders | 转化 | 转化量 | 转化人数 | 成交人数",
        cost="cost | spend | campaign cost | budget | 花费 | 费用 | 成本 | 投入",
    ),
    "market": _table(
        asked_day="survey date | survey wave | fieldwork date | date | month | 调查日期 | 调研日期 | 调查时间 | 日期",
        segment="segment | market segment | audience | target group | 客群 | 细分市场 | 客户群体 | 群体 | 人群",
        firm="firm | brand | institution | competitor | bank | company | 机构 | 品牌 | 企业 | 竞争者 | 银行",
        question="question | metric | indicator | measure | kpi | 指标 | 问题 | 题目 | 调查指标",
        answer="share of respondents | answer | share | percentage | percent | value | 比例 | 占比 | 百分比 | 数值",
        respondents="respondents | sample size | sample | base | n | 样本量 | 样本数 | 受访人数 | 受访数",
    ),
    "applications": _table(
        customer_id=_WHO,
        application_id="application id | application no | loan id | application number | case no | 申请编号 | 申请号 | 贷款编号 | 申请单号",
        applied_day="applied on | application date | applied at | date of application | request date | 申请日期 | 申请时间 | 提交日期",
        decided_day="decided on | decision date | approval date | approved on | 审批日期 | 决定日期 | 批准日期 | 审批时间",
        product="product | loan type | product name | loan product | 产品 | 贷款类型 | 贷款产品 | 产品名称 | 业务品种",
        purpose="purpose | loan purpose | use of funds | 用途 | 贷款用途 | 资金用途",
        amount="loan amount | amount applied | applied amount | amount requested | amount | 申请金额 | 贷款金额 | 金额",
        term_months="term months | loan term | term in months | term | 期限 | 贷款期限 | 期限(月)",
        credit_grade="credit grade | credit rating | grade | 信用等级 | 信用评级",
        decision="decision | approval status | loan status | status | outcome | result | 审批结果 | 结果 | 审批状态 | 状态 | 决定",
    ),
}

# Names that say little by themselves: another that says more comes first.
VAGUE = frozenset(
    _names(
        "date | day | month | time | timestamp | total | value | name | customer | order | type | kind | score | status | item"
        " | description | source | target | from | to | left | closed | result | size | reason | issue | start | end | text"
        " | title | spend | items | transactions | purchases | frequency | company | contact | activity | image | number | segment"
        " | 日期 | 时间 | 月份 | 客户 | 类型 | 名称 | 状态 | 结果 | 描述 | 记录 | 问题 | 市 | 省 | 等级 | 总价"
    )
)
# A header that ends like money but is no price paid: it is never taken for one by half its name.
NOT_PAID = _names(
    "freight | shipping | ship | tax | vat | discount | refund | cost | fee | budget | target | limit | balance | estimated"
    " | 运费 | 税 | 折扣 | 优惠 | 退款 | 成本 | 手续费 | 预算 | 目标 | 余额 | 额度"
)
# What a file's or sheet's name says of its content.
FILES = {
    "customers": _names("customer | client | member | crm | 客户 | 会员 | 用户"),
    "transactions": _names(
        "order | sale | transaction | invoice | purchase | retail | items | 订单 | 销售 | 交易 | 业务 | 流水"
    ),
    "snapshot": _names("snapshot | status | churn | telco | bank | 快照 | 汇总 | 画像"),
    "tiers": _names("tier | grade | 分级 | 分层 | 等级"),
    "surveys": _names("survey | satisfaction | review | nps | questionnaire | 满意度 | 问卷 | 调查 | 评价"),
    "needs": _names("need | preference | 需求 | 偏好"),
    "feedback": _names("feedback | complaint | interview | comment | 反馈 | 投诉 | 访谈 | 意见 | 评论"),
    "interactions": _names(
        "interaction | service | ticket | contact | call | case | post | 服务 | 工单 | 互动 | 联系 | 来电"
    ),
    "relations": _names("relation | edge | network | graph | 关系"),
    "costs": _names("cost | expense | 成本 | 费用"),
    "campaigns": _names("campaign | marketing | 活动 | 营销 | 推广"),
    "market": _names("market | brand | awareness | tracker | 市场调查 | 市场调研 | 品牌"),
    "applications": _names("application | loan | 申请 | 贷款 | 融资"),
}
RETURNS = _names("return | returns | refund | refunds | 退货 | 退回 | 退款")
PROVINCES = frozenset(
    [
        "北京",
        "天津",
        "上海",
        "重庆",
        "河北",
        "山西",
        "辽宁",
        "吉林",
        "黑龙江",
        "江苏",
        "浙江",
        "安徽",
        "福建",
        "江西",
        "山东",
        "河南",
        "湖北",
        "湖南",
        "广东",
        "海南",
        "四川",
        "贵州",
        "云南",
        "陕西",
        "甘肃",
        "青海",
        "台湾",
        "内蒙古",
        "广西",
        "西藏",
        "宁夏",
        "新疆",
        "香港",
        "澳门",
    ]
)
YES = _names("yes | y | true | 1 | 是 | 有 | 已退 | 退货 | 退回 | returned | refunded")
NO = _names("no | n | false | 0 | 否 | 无 | 没有 | 未退")
