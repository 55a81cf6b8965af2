//! Simplified: traditional Chinese characters that occur in posts about trades, in their simplified form, so that the words
//! of the language files are written once.
//!
//! Entry point: [`simplified`]. Invariant: one character for one of the same length; whole texts are not converted well by
//! this, words are.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// The simplified form of a traditional character; others as they are.
pub(super) fn simplified(character: char) -> char {
    static SIMPLE: LazyLock<FxHashMap<char, char>> = LazyLock::new(|| {
        let pairs: Vec<char> = PAIRS.chars().filter(|character| !character.is_whitespace()).collect();
        pairs.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
    });
    const PAIRS: &str = "\
        標标損损價价場场單单進进買买賣卖槓杠桿杆倉仓現现開开關关漲涨點点將将劃划項项壓压線线觸触發发達达動动區区間间減减議议風风險险幣币對对個个時时號号為为撐撑賺赚虧亏續续從从後后過过還还這这來来換换\
        實实際际計计總总餘余無无離离頭头輕轻較较確确認认結结補补滿满條条內内請请調调轉转報报邊边雙双該该應应當当問问說说學学習习謝谢錯错沒没嗎吗會会誰谁雖虽讓让給给見见覺觉視视觀观幾几歲岁機机構构樣样\
        檔档極极樓楼東东車车輛辆軟软載载輸输贏赢運运遠远適适選选遞递鐘钟錢钱銀银鏈链錄录鍵键鎖锁長长門门閉闭閃闪陣阵陰阴陽阳隨随隻只難难電电靜静響响頂顶順顺預预領领題题類类顯显飛飞飯饭養养馬马騙骗驗验\
        驚惊體体鬆松魚鱼鳥鸟黃黄齊齐龍龙兩两們们偵侦備备優优傳传債债傷伤億亿儲储冊册凍冻則则剛刚創创劇剧勁劲務务勝胜勢势匯汇協协卻却參参員员啟启嘗尝嚴严團团園园圍围圖图塊块塗涂壞坏夠够夢梦夾夹奪夺奮奋\
        婦妇媽妈孫孙審审寫写寬宽寶宝專专尋寻導导層层屬属帳账師师帶带幹干庫库廠厂廣广張张強强彈弹彎弯徑径復复徵征態态慘惨慣惯憑凭憶忆懷怀戰战戲戏戶户拋抛掃扫掛挂採采揚扬擇择擊击擋挡據据擴扩攔拦敗败敘叙\
        數数斷断於于暫暂曉晓書书業业槍枪樂乐橋桥橫横檢检權权歡欢歷历歸归殺杀氣气決决沖冲況况淨净測测準准漸渐潛潜潤润灣湾煩烦熱热爭争爾尔牆墙狀状獎奖獨独獲获環环產产畫画異异瘋疯盤盘盡尽監监碼码禮礼禍祸\
        種种稱称穩稳窩窝競竞筆笔節节範范簡简簽签籌筹紅红約约級级納纳純纯紙纸紛纷細细終终組组經经綠绿維维網网緊紧練练縮缩績绩繳缴繼继纏缠罰罚聯联聲声職职聽听脫脱腦脑膽胆臉脸臨临與与興兴舊旧萬万葉叶著着\
        蓋盖處处虛虚術术衛卫衝冲裝装裡里製制規规親亲訂订訊讯記记許许評评詢询試试話话誤误談谈論论諒谅證证識识譯译護护讀读變变貝贝負负財财責责貨货貪贪貫贯費费貴贵貸贷資资賠赔質质賭赌購购贈赠跡迹踐践蹤踪\
        躍跃軍军軌轨軸轴輪轮辦办農农迴回連连遊游違违遲迟郵邮釋释針针釣钓鏡镜鎮镇鐵铁鑽钻陸陆階阶雲云頁页須须頓顿頻频顧顾願愿餌饵館馆駐驻騰腾麼么黨党齡龄佈布佔占併并係系偽伪僅仅傑杰傾倾償偿劑剂勵励勞劳\
        匱匮厲厉叢丛吳吴唄呗喪丧嘆叹嚇吓圓圆執执墊垫壘垒夥伙妝妆嬰婴寧宁嶺岭巔巅弔吊彙汇恆恒悶闷惡恶慮虑慶庆憂忧憤愤懶懒戀恋挾挟搖摇搶抢撥拨撲扑擔担攏拢攤摊敵敌斂敛曆历棄弃欄栏殘残洩泄淺浅湊凑溫温滅灭\
        滯滞潰溃澤泽濟济瀉泻爐炉犧牺猶犹獵猎瑪玛疊叠矚瞩磚砖礎础禦御稅税穀谷窮穷竄窜筍笋篩筛粵粤糾纠絕绝統统綜综緩缓縱纵繞绕繪绘罷罢翹翘聰聪肅肃脅胁膚肤艙舱艦舰薦荐藍蓝蘇苏蝕蚀蠟蜡訪访設设詐诈詳详誇夸\
        誘诱課课諾诺謀谋謊谎譜谱貼贴賴赖趕赶趨趋輝辉輔辅遜逊醜丑醫医鋪铺錶表鐮镰閱阅闊阔雜杂霧雾韌韧顛颠飆飙飄飘騷骚髮发鬥斗鬧闹麗丽擬拟紀纪囉啰囑嘱邏逻輯辑閒闲幫帮舉举賬账講讲隊队倆俩羣群擁拥擠挤懸悬\
        暈晕棧栈歐欧毀毁滾滚瞞瞒穫获繫系腳脚臺台莊庄蕩荡讚赞贊赞鄉乡靈灵餓饿騎骑騐验掙挣憐怜諮咨顏颜鎊镑隱隐藥药華华莖茎衆众眾众衊蔑複复訓训誌志謹谨譽誉豐丰賓宾賜赐賤贱銷销鋒锋鋼钢錦锦鍊炼鑑鉴閑闲閘闸\
        頑顽鬱郁";
    match character {
        '\u{4e00}'..='\u{9fff}' => SIMPLE.get(&character).copied().unwrap_or(character),
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_scripts_meet_in_one() {
        let folded: String = "現貨佈局，該減倉嗎".chars().map(simplified).collect();
        assert_eq!(folded, "现货布局，该减仓吗");
    }

    #[test]
    fn what_is_simplified_stays() {
        for character in "现货布局该减仓吗做多止损".chars() {
            assert_eq!(simplified(character), character);
        }
    }
}
