// The report in Chinese (simplified).
import Ledger

extension AuditWords {
  static var chinese: AuditWords {
    AuditWords(
      language: "zh-Hans",
      verdict: "结论", holds: "所有已执行的检查均通过。", isFalse: "有一项检查不成立。",
      holdsText: "本次审计使用了联盟自己的公钥：除最后一节列明的内容外，本报告不依赖服务器的任何说法。",
      holdsUnpinnedText: "未提供联盟公钥：本报告只能相信账本中的第一份名册。请使用名册和公钥重新审计。",
      wholeLedger: "整个账本", entry: { "第 \($0) 条记录" },
      entries: "记录数", released: "已发布的轮次", sites: "名册中的站点", cosigned: "联署的站点", newest: "最新记录",
      needed: { "至少需要 \($0) 个" },
      meaning: "保护的对象与程度", noJobs: "没有开启任何任务。", job: "任务",
      noNoise: "该任务的汇总不含噪声。单个更新隐藏在汇总之中，但汇总本身会透露某个站点多少信息，没有上界。",
      noGuarantee: "没有形式化的隐私保证。", unitName: "保护单位", rounds: "已发布的轮次",
      siteMeaning: "保护单位是一个完整的站点：它的更新在场与被替换为零，对服务器（连同名册允许的串通站点）所能看到的内容的影响不超过此值，前提是其他站点确实加入了各自的噪声。除此之外，它不是对单个患者的承诺。",
      recordMeaning: "保护单位是某个站点的一条记录（一张图像），即增加或删除这一条记录。拥有多张图像的患者得到的保护更弱：k 张图像的代价相当于 k 倍敏感度的代价。记录互不重叠的站点取各自数值的最大值，而不是总和。",
      epsilonMeaning: "ε 限制一个单位对任何公开结果的概率之比的影响：除概率 δ 之外，至多 e^ε 倍。0 表示毫无影响，1 约为 2.7 倍，8 约为 3000 倍。此处的数值均由噪声重新计算，并向上取整。",
      unit: { $0 == .site ? "一个站点" : $0 == .record ? "一条记录" : "无" },
      ofBudget: { "上限 \($0)" }, reservedDetail: { "共为 \($0) 次尝试付出预算" },
      budgetOverTime: "隐私预算随时间的变化", round: "轮次", spent: "累计 ε", limit: "上限",
      budgetCaption: "凡预留过的尝试都要计入预算，中止的也不例外，除非有证书表明任何人都无法打开它。",
      whoTookPart: "参与者", noRoster: "账本中没有名册。", index: "编号", name: "站点", invited: "受邀次数", inSum: "计入汇总",
      droppedOut: "掉线", takingPartCaption: "按最新名册，对所有已确定幸存者的尝试计数。",
      rosterLine: { "名册第 \($0) 号。只要与服务器串通的站点不超过 \($1) 个，协议就成立；账本须由 \($2) 个站点认可。" },
      everyAttempt: "全部尝试", entryColumn: "记录", attempt: "尝试", state: "结果", epsilonTotal: "累计 ε",
      attemptsCaption: "幸存者/受邀者。掉线的站点不在汇总之内。",
      fate: { ["reserved": "已预留", "aborted": "已中止（仍计入预算）", "released": "已发布", "refunded": "已退还"][$0] ?? $0 },
      onlyNewest: { "共 \($0) 次尝试，此处列出最新的 300 次；`secagg-audit verify --json` 可列出全部。" },
      refusals: "拒绝与中止", noRefusals: "无。", time: "时间", what: "事件", who: "相关方", code: "代码",
      siteRefused: "某站点拒绝了一次尝试", nobody: "未指明",
      refusalsCaption: "代码见协议规范（spec/03）。谁保持沉默，只是服务器的说法。",
      site: { "站点 \($0)" }, aborted: { "\($0.job)，第 \($0.round) 轮，第 \($0.attempt) 次尝试，中止于阶段 \($0.phase.rawValue)" },
      whatEachLearns: "各方能够得知什么", party: "参与方", learns: "可见", never: "不可见",
      parties: [
        ["服务器", "谁在何时参与；掩码后的输入；每个已发布轮次的汇总及由此得到的权重", "任何单个站点的更新、图像、标注、记录数"],
        ["其他站点", "每一轮的权重；谁参与了", "其他任何站点的更新"],
        ["与服务器串通的站点", "诚实幸存站点的汇总", "单个诚实站点的更新"],
        ["账本的读者", "站点编号、谁掉线、拒绝代码、摘要、隐私数值", "更新、权重、数据、站点的时间信息"],
      ],
      checks: "全部检查", result: "结果", check: "检查内容", detail: "详情",
      checksCaption: "详情为英文，与命令行输出一致。",
      outcome: { $0 == .held ? "通过" : $0 == .failed ? "不成立" : "未执行" },
      claim: { AuditWords.chineseClaim($0) }, cause: { "不成立：" + AuditWords.chineseClaim($0.check) },
      notGuaranteed: "账本无法证明的事",
      limits: [
        "站点是否真的按规定裁剪、采样、加噪，或是否使用真实数据训练：汇总中看不出来。",
        "沉默的站点是否真的沉默：这只是服务器的说法。",
        "在最新一批足够数量的联署之后，账本末尾是否被截断；除非审计时提供了某站点更新的检查点。",
        "发布的权重是否由汇总得出：应用同一汇总的每个站点自行核对。",
        "某站点重新训练一轮所付出的代价：记在该站点自己的预算里。",
        "任何有关网络流量的结论，以及串通站点多于名册所载数量时的任何保证。",
      ])
  }

  private static func chineseClaim(_ check: AuditCheck) -> String {
    switch check {
    case .checkpoint: "检查点格式正确"
    case .tiles: "记录与哈希块齐全且一致"
    case .root: "记录的树根与检查点一致"
    case .since: "账本延续了先前见过的检查点"
    case .entries: "每条记录都是已知类型的规范形式"
    case .times: "时间不倒退"
    case .attachments: "附件完整且被引用"
    case .rosters: "每份名册均有签名、更新，并得到此前足够数量站点的同意"
    case .jobs: "每个任务与其配置一致，且只开启一次"
    case .plans: "每个计划遵守协议规则及任务的噪声要求"
    case .replay: "没有重复的尝试或轮次"
    case .weights: "每一轮都从上一轮的权重开始"
    case .survivors: "U0、U1、U2、U3 逐级包含且人数足够"
    case .charges: "每笔预算只计入有保证的噪声"
    case .budget: "任何预留都未超出任务的 ε"
    case .order: "每次发布之前都有预留"
    case .signatures: "足够数量的幸存者对集合与输入摘要签名"
    case .revealed: "足够数量的幸存者参与了揭示"
    case .released: "阈值、位数、裁剪与噪声符合计划"
    case .epsilon: "每个 ε 均与按任务 δ 重新计算的结果一致"
    case .aborts: "拒绝与中止同预留相符"
    case .refunds: "没有证书就没有退还"
    case .closing: "已关闭的任务如实列出预留、发布与代价"
    case .pinnedRoster: "账本的最新名册就是审计者持有的名册"
    case .logSignature: "服务器以该账本的名义签署了检查点"
    case .cosignatures: "足够数量的站点联署了检查点"
    }
  }
}
